import type {
  MarkRow,
  Owner,
  RecordRow,
  TimelineRow,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from './rows.ts';

/**
 * What the rules ask of a session beyond its row, as data, so that an engine behind a network can load all of it
 * in one read. The answer of each kind stands in `Found`.
 */
export type Need =
  /** How many sessions of the owner are open, up to `limit`, and the version of the owner's row. */
  | { readonly need: 'open'; readonly owner: Owner; readonly limit: number }
  /** What all sessions of the owner have spent, deleted ones too, and the version of the owner's row. */
  | { readonly need: 'spent'; readonly owner: Owner }
  | { readonly need: 'timeline'; readonly timelineId: string }
  /** The turn with this id that the session itself wrote. */
  | { readonly need: 'turn'; readonly turnId: string }
  | { readonly need: 'lastTurn'; readonly timelineId: string }
  | { readonly need: 'variables'; readonly at: VariablesVersion }
  | { readonly need: 'record'; readonly kind: string; readonly key: string }
  | { readonly need: 'labelled'; readonly kind: string; readonly label: string }
  /** The automatic checkpoint with this number. */
  | { readonly need: 'mark'; readonly n: number }
  /** The lowest numbers of automatic checkpoints above one, in order. */
  | { readonly need: 'marks'; readonly above: number; readonly limit: number }
  /** The keys of the oldest records of checkpoints without a label. */
  | { readonly need: 'oldest'; readonly limit: number }
  | { readonly need: 'count'; readonly kind: string };

/** What an engine finds for each kind of need; `undefined` where there is nothing. */
export interface Found {
  readonly open: { readonly open: number; readonly version: number };
  readonly spent: { readonly spent: number; readonly version: number };
  readonly timeline: TimelineRow | undefined;
  readonly turn: TurnRow | undefined;
  readonly lastTurn: TurnRow | undefined;
  readonly variables: VariablesRow | undefined;
  readonly record: RecordRow | undefined;
  readonly labelled: RecordRow | undefined;
  readonly mark: MarkRow | undefined;
  readonly marks: readonly number[];
  readonly oldest: readonly string[];
  readonly count: number;
}

/** A need of one kind. */
type NeedOf<K extends keyof Found> = Extract<Need, { readonly need: K }>;

/** Answers to needs, as of one version of a session. */
export class Reads {
  readonly #found = new Map<string, { readonly need: Need; readonly value: unknown }>();

  has(need: Need): boolean {
    return this.#found.has(keyOf(need));
  }

  get<K extends keyof Found>(need: NeedOf<K>): Found[K] {
    return this.#found.get(keyOf(need))?.value as Found[K];
  }

  set(need: Need, value: unknown): void {
    this.#found.set(keyOf(need), { need, value });
  }

  delete(need: Need): void {
    this.#found.delete(keyOf(need));
  }

  /** Takes over what another read found. */
  add(others: Reads): void {
    for (const [key, found] of others.#found) this.#found.set(key, found);
  }

  /** Everything of one kind. */
  *of<K extends keyof Found>(kind: K): Iterable<readonly [NeedOf<K>, Found[K]]> {
    for (const { need, value } of this.#found.values()) {
      if (need.need === kind) yield [need as NeedOf<K>, value as Found[K]];
    }
  }
}

/** Needs without repeats, in the order in which they came up. */
export class Needs implements Iterable<Need> {
  /** Most never have any. */
  #needs: Map<string, Need> | undefined;

  get size(): number {
    return this.#needs?.size ?? 0;
  }

  add(need: Need): void {
    this.#needs ??= new Map();
    this.#needs.set(keyOf(need), need);
  }

  clear(): void {
    this.#needs = undefined;
  }

  [Symbol.iterator](): Iterator<Need> {
    return (this.#needs ?? none).values();
  }
}

const none: ReadonlyMap<string, Need> = new Map();

/** Asked for with each turn, so that it is made by hand; no part but the last can have a line break. */
function keyOf(need: Need): string {
  switch (need.need) {
    case 'open':
    case 'spent':
      return `${need.need}\n${JSON.stringify([need.owner.tenantId, need.owner.userId])}`;
    case 'timeline':
    case 'lastTurn':
      return `${need.need}\n${need.timelineId}`;
    case 'turn':
      return `turn\n${need.turnId}`;
    case 'variables':
      return `variables\n${need.at.position}\n${need.at.revision}\n${need.at.timelineId}`;
    case 'record':
      return `record\n${need.kind}\n${need.key}`;
    case 'labelled':
      return `labelled\n${need.kind}\n${need.label}`;
    case 'mark':
      return `mark\n${need.n}`;
    case 'marks':
      return `marks\n${need.above}`;
    case 'oldest':
      return `oldest\n${need.limit}`;
    case 'count':
      return `count\n${need.kind}`;
  }
}
