import type { OpenStore } from '../../src/index.ts';
import * as changes from './changes.ts';
import * as closings from './closings.ts';
import * as deletes from './deletes.ts';
import * as limits from './limits.ts';
import * as merges from './merges.ts';
import * as moves from './moves.ts';
import * as operations from './operations.ts';
import * as owners from './owners.ts';
import * as points from './points.ts';
import * as ports from './ports.ts';
import * as repeats from './repeats.ts';
import * as services from './services.ts';
import * as spending from './spending.ts';
import * as states from './states.ts';
import * as sweeps from './sweeps.ts';
import * as texts from './texts.ts';
import * as times from './times.ts';
import * as writes from './writes.ts';

const faults = {
  ...changes,
  ...closings,
  ...deletes,
  ...limits,
  ...merges,
  ...moves,
  ...operations,
  ...owners,
  ...points,
  ...ports,
  ...repeats,
  ...services,
  ...spending,
  ...states,
  ...sweeps,
  ...texts,
  ...times,
  ...writes,
};

/** Every broken store, by the name of its fault. */
export const brokenStores: Readonly<Record<FaultName, OpenStore>> = faults;

export type FaultName = keyof typeof faults;
