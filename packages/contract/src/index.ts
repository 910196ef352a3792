export { laws } from './all-laws.ts';
export { bindLaws, type TestRunner } from './bind-laws.ts';
export type {
  Deviation,
  Law,
  LawBench,
  LawClock,
  OpenedStore,
  OpenStore,
} from './law.ts';
export { openLasting } from './open-lasting.ts';
export { checkLaw, type LawOptions, type LawResult, runLaws } from './run-laws.ts';
