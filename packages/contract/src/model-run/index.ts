export type { CommandKind } from './command.ts';
export type { CommandCount, Distribution } from './distribution.ts';
export { type ModelRunOptions, runModel } from './run-model.ts';
export { modelRunScale } from './scale.ts';
export type { OpenModelStore } from './trial.ts';
