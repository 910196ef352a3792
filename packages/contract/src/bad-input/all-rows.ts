import { goodIds } from './good/ids.ts';
import { goodJson } from './good/json.ts';
import { goodLaterChanges } from './good/later-changes.ts';
import { goodLists } from './good/lists.ts';
import { goodTurnValues } from './good/turn-values.ts';
import { goodTurns } from './good/turns.ts';
import type { BadInputRow, GoodInputRow } from './row.ts';
import { analyticsRows } from './rows/analytics.ts';
import { batchRows } from './rows/batches.ts';
import { configRows } from './rows/config.ts';
import { countRows } from './rows/counts.ts';
import { eventRows } from './rows/events.ts';
import { hostileRows } from './rows/hostile.ts';
import { idRows } from './rows/ids.ts';
import { jsonSizeRows } from './rows/json-sizes.ts';
import { jsonValueRows } from './rows/json-values.ts';
import { limitNameRows } from './rows/limit-names.ts';
import { listRows } from './rows/lists.ts';
import { mergeRows } from './rows/merges.ts';
import { optionRows } from './rows/options.ts';
import { orderRows } from './rows/order.ts';
import { schemaRows } from './rows/schemas.ts';
import { textRows } from './rows/texts.ts';
import { turnNumberRows } from './rows/turn-numbers.ts';
import { turnRows } from './rows/turns.ts';

/** Every argument of every call, with what must be refused there. Ids are unique. */
export const badInput: readonly BadInputRow[] = [
  ...configRows,
  ...idRows,
  ...textRows,
  ...countRows,
  ...optionRows,
  ...orderRows,
  ...turnRows,
  ...turnNumberRows,
  ...batchRows,
  ...jsonValueRows,
  ...jsonSizeRows,
  ...listRows,
  ...hostileRows,
  ...limitNameRows,
  ...schemaRows,
  ...mergeRows,
  ...analyticsRows,
  ...eventRows,
];

/** What must pass beside what must not: the limits themselves, and odd values that are legal. */
export const goodInput: readonly GoodInputRow[] = [
  ...goodIds,
  ...goodTurns,
  ...goodTurnValues,
  ...goodJson,
  ...goodLaterChanges,
  ...goodLists,
];
