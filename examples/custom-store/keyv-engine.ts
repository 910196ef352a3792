import { randomBytes } from 'node:crypto';
import {
  SessionCorruptDataError,
  SessionStoreUnavailableError,
  SessionUnsupportedError,
} from '@lexigram/ai-session';
import type { OrderedEngine, OrderedRows } from '@lexigram/ai-session/store';
import type { Keyv } from 'keyv';
import { type Page, PageTree } from './page-tree.ts';

/** The value of the one key that is ever written twice: the tree as of the last commit. */
interface Root {
  readonly format: typeof format;
  /** The process that wrote it. */
  readonly writer: string;
  /** How many commits that process has made. */
  readonly commit: number;
  readonly page: string | null;
}

interface Job {
  /** Does its work, and answers what is to be told of it once all is durable. @throws what the work throws */
  run(rows: OrderedRows): () => void;
  reject(error: unknown): void;
}

/** Thrown out of the work that asks for a page that is not at hand. */
class NotAtHand extends Error {
  readonly page: string;

  constructor(page: string) {
    super(page);
    this.page = page;
  }
}

const rootKey = 'root';
const format = 'lexigram-sessions-1';
/** How many writes share a commit. */
const most = 64;

/**
 * A tree of pages in a Keyv, each under a key of its own. A commit writes new pages first, which nobody can see,
 * and then the root: with that one `set` it is there, whole. What a crash leaves before it is garbage, no more.
 *
 * Work on the tree is synchronous. Where it lacks a page it is given up, the page is read, and it begins anew: so
 * all that it reads is of one moment, and what it had written is undone.
 */
export class KeyvEngine implements OrderedEngine {
  readonly #keyv: Keyv;
  readonly #cachedPages: number;
  readonly #writer = randomBytes(9).toString('base64url');
  /** Undefined if it is not known whether the last commit went through, or once another process has the tree. */
  #root: Root | undefined;
  #named = 0;
  readonly #cache = new Map<string, Page>();
  /** Pages that the last commit put out of use, and those from before that nobody can need. */
  #replaced: readonly string[] = [];
  #garbage: readonly string[] = [];
  #waiting: Job[] = [];
  #working: Promise<void> | undefined;
  /** Keyv tells of faults by events; a call that failed answers as if there were nothing. */
  #faults = 0;
  #fault: unknown;

  private constructor(keyv: Keyv, cachedPages: number) {
    this.#keyv = keyv;
    this.#cachedPages = cachedPages;
    keyv.on('error', (error: unknown) => {
      this.#faults += 1;
      this.#fault = error;
    });
  }

  /** Takes the tree over from whichever process had it. @param cachedPages how many are kept in memory */
  static async open(keyv: Keyv, cachedPages = 4_000): Promise<KeyvEngine> {
    if (keyv.ttl !== undefined) {
      throw new SessionUnsupportedError('A Keyv with a ttl would forget sessions; leave it out');
    }
    const engine = new KeyvEngine(keyv, cachedPages);
    const last = await engine.#readRoot();
    const page = last?.page ?? null;
    await engine.#setRoot({ format, writer: engine.#writer, commit: 0, page });
    return engine;
  }

  async read<T>(work: (rows: OrderedRows) => T): Promise<T> {
    const pages = new Map<string, Page>();
    for (;;) {
      const root = this.#root ?? (await this.#readOwnRoot());
      try {
        return work(new PageTree(root.page, (name) => this.#atHand(name, pages)));
      } catch (error) {
        await this.#fetch(error, pages, root);
      }
    }
  }

  write<T>(work: (rows: OrderedRows) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (rows: OrderedRows) => {
        const result = work(rows);
        return () => resolve(result);
      };
      this.#waiting.push({ run, reject });
      // What is asked for in the same tick shares a commit.
      this.#working ??= Promise.resolve().then(() => this.#work());
    });
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const jobs = this.#waiting.splice(0, most);
      try {
        for (const tell of await this.#commit(jobs)) tell();
      } catch (error) {
        for (const { reject } of jobs) reject(error);
      }
    }
    this.#working = undefined;
  }

  /** Does the jobs one after another, keeps what they wrote, and answers what is to be told. */
  async #commit(jobs: readonly Job[]): Promise<readonly (() => void)[]> {
    const before = this.#root ?? (await this.#readOwnRoot());
    this.#root = before;
    const pages = new Map<string, Page>();
    const tree = new PageTree(before.page, (name) => this.#atHand(name, pages));
    const answers: (() => void)[] = [];
    for (const job of jobs) answers.push(await this.#run(job, tree, pages, before));
    if (tree.root !== before.page) await this.#save(before, tree.root, pages);
    return answers;
  }

  async #run(
    { reject, run }: Job,
    tree: PageTree,
    pages: Map<string, Page>,
    before: Root,
  ): Promise<() => void> {
    const { root } = tree;
    for (;;) {
      try {
        return run(tree);
      } catch (error) {
        tree.root = root;
        try {
          await this.#fetch(error, pages, before);
        } catch (fault) {
          return () => reject(fault);
        }
      }
    }
  }

  async #save(before: Root, tree: string | Page | null, pages: Map<string, Page>): Promise<void> {
    const fresh = new Map<string, Page>();
    const page = tree === null || typeof tree === 'string' ? tree : this.#name(tree, fresh);
    const replaced = replacedBy(before.page, page, fresh, (name) => this.#atHand(name, pages));
    const entries = [...fresh].map(([key, made]) => ({ key, value: JSON.stringify(made) }));
    const set = await this.#ask(() => this.#keyv.setMany(entries));
    if (set?.includes(false)) throw unavailable('a page was not written');
    if (this.#garbage.length > 0) await this.#ask(() => this.#keyv.deleteMany([...this.#garbage]));
    await this.#checkRoot(before);
    await this.#setRoot({ ...before, commit: before.commit + 1, page });
    // The last commit was still there: what it put out of use is so for good.
    this.#garbage = this.#replaced;
    this.#replaced = replaced;
    for (const [name, made] of fresh) this.#remember(name, made);
  }

  /** Gives names to pages that have none, those below first, and collects them. */
  #name(page: Page, fresh: Map<string, Page>): string {
    const values = page.values.map((value) =>
      typeof value === 'string' ? value : this.#name(value, fresh),
    );
    this.#named += 1;
    const name = `${this.#writer}.${this.#named}`;
    fresh.set(name, { ...page, values });
    return name;
  }

  /** A page that work has seen stays at hand until it is done. */
  #atHand(name: string, pages: Map<string, Page>): Page {
    const page = pages.get(name) ?? this.#cache.get(name);
    if (page === undefined) throw new NotAtHand(name);
    pages.set(name, page);
    return page;
  }

  /** Reads the page for the lack of which work was given up. @throws whatever else it was given up for */
  async #fetch(error: unknown, pages: Map<string, Page>, root: Root): Promise<void> {
    if (!(error instanceof NotAtHand)) throw error;
    const text = await this.#ask(() => this.#keyv.get<string>(error.page));
    if (text === undefined) {
      const { commit } = this.#root ?? (await this.#readOwnRoot());
      // Commits of this process put it out of use meanwhile: on from the new root.
      if (commit !== root.commit) return;
      await this.#checkRoot(root);
      throw new SessionCorruptDataError(`page '${error.page}'`, 'it is missing');
    }
    const page = readJson<Page>(`page '${error.page}'`, text);
    pages.set(error.page, page);
    this.#remember(error.page, page);
  }

  /** The page that was remembered first goes first. */
  #remember(name: string, page: Page): void {
    this.#cache.set(name, page);
    if (this.#cache.size <= this.#cachedPages) return;
    this.#cache.delete(this.#cache.keys().next().value as string);
  }

  async #readRoot(): Promise<Root | undefined> {
    const text = await this.#ask(() => this.#keyv.get<string>(rootKey));
    if (text === undefined) return undefined;
    const root = readJson<Root>('the root', text);
    if (root.format === format) return root;
    throw new SessionUnsupportedError(
      `The key '${rootKey}' of this Keyv belongs to something else`,
    );
  }

  /** Where the tree stands, if it is still this process's. */
  async #readOwnRoot(): Promise<Root> {
    const root = await this.#readRoot();
    if (root?.writer !== this.#writer) throw takenOver();
    return root;
  }

  /** Keyv cannot compare and swap. A look right before is what can be had. */
  async #checkRoot({ commit, writer }: Root): Promise<void> {
    const root = await this.#readRoot();
    if (root?.writer === writer && root.commit === commit) return;
    this.#root = undefined;
    throw takenOver();
  }

  async #setRoot(root: Root): Promise<void> {
    try {
      const isSet = await this.#ask(() => this.#keyv.set(rootKey, JSON.stringify(root)));
      if (!isSet) throw unavailable('the root was not written');
      this.#root = root;
    } catch (error) {
      this.#root = undefined;
      throw error;
    }
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    const before = this.#faults;
    let answer: T;
    try {
      answer = await call();
    } catch (error) {
      throw unavailable('the Keyv failed', error);
    }
    if (this.#faults > before) throw unavailable('the Keyv failed', this.#fault);
    return answer;
  }

  async close(): Promise<void> {
    await this.#working;
    await this.#keyv.disconnect();
  }
}

/** The pages of a tree that are no longer part of it. All of them are at hand: they were changed. */
function replacedBy(
  before: string | null,
  after: string | null,
  fresh: ReadonlyMap<string, Page>,
  atHand: (name: string) => Page,
): readonly string[] {
  const kept = new Set<string | Page | null>([after]);
  for (const { level, values } of fresh.values()) {
    if (level > 0) for (const value of values) kept.add(value);
  }
  const replaced: string[] = [];
  const look = (name: string): void => {
    if (kept.has(name)) return;
    replaced.push(name);
    const { level, values } = atHand(name);
    if (level > 0) for (const value of values) look(value as string);
  };
  if (before !== null) look(before);
  return replaced;
}

function readJson<T>(place: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new SessionCorruptDataError(place, 'it is no JSON', { cause });
  }
}

function takenOver(): SessionStoreUnavailableError {
  return new SessionStoreUnavailableError(
    'locked',
    'another process has opened the same Keyv since',
  );
}

function unavailable(message: string, cause?: unknown): SessionStoreUnavailableError {
  return new SessionStoreUnavailableError('unreachable', message, { cause });
}
