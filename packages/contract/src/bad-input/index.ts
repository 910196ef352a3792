export { badInput, goodInput } from './all-rows.ts';
export { type Fixture, openFixture } from './fixture.ts';
export type { BadInputRow, GoodInputRow } from './row.ts';
export {
  bindBadInput,
  type InputResult,
  type InputTestRunner,
  runBadInput,
} from './run-bad-input.ts';
export type { UntypedServices, UntypedSessions } from './untyped.ts';
