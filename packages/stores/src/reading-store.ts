import type {
  FeedItem,
  FeedPage,
  KeyPage,
  ListQuery,
  NumberPage,
  Owner,
  RecordRow,
  Segment,
  SessionRow,
  SessionStore,
  TimelineRow,
  TurnPage,
  TurnRow,
  VariablesRow,
  VariablesVersion,
} from '@lexigram/ai-session/store';

/** What a store behind a network leaves to its reader. */
type StoreReader = Pick<
  SessionStore,
  | 'session'
  | 'timelines'
  | 'startingAt'
  | 'turns'
  | 'findTurns'
  | 'variables'
  | 'record'
  | 'records'
  | 'list'
  | 'feed'
>;

/** A store whose reads are its reader's, and are refused once it is closed. */
export abstract class ReadingStore {
  protected abstract readonly reader: StoreReader;

  /** @throws SessionStoreUnavailableError if the store was closed */
  protected abstract checkOpen(): void;

  async session(sessionId: string, owner?: Owner): Promise<SessionRow | null> {
    this.checkOpen();
    return this.reader.session(sessionId, owner);
  }

  async timelines(ids: readonly string[]): Promise<readonly (TimelineRow | null)[]> {
    this.checkOpen();
    return this.reader.timelines(ids);
  }

  async startingAt(
    sessionId: string,
    base: { readonly timelineId: string; readonly seq: number },
    page: NumberPage,
  ): Promise<readonly TimelineRow[]> {
    this.checkOpen();
    return this.reader.startingAt(sessionId, base, page);
  }

  async turns(segments: readonly Segment[], page: TurnPage): Promise<readonly TurnRow[]> {
    this.checkOpen();
    return this.reader.turns(segments, page);
  }

  async findTurns(turnId: string, sessionIds: readonly string[]): Promise<readonly TurnRow[]> {
    this.checkOpen();
    return this.reader.findTurns(turnId, sessionIds);
  }

  async variables(at: VariablesVersion): Promise<VariablesRow | null> {
    this.checkOpen();
    return this.reader.variables(at);
  }

  async record(sessionId: string, kind: string, key: string): Promise<RecordRow | null> {
    this.checkOpen();
    return this.reader.record(sessionId, kind, key);
  }

  async records(sessionId: string, kind: string, page: KeyPage): Promise<readonly RecordRow[]> {
    this.checkOpen();
    return this.reader.records(sessionId, kind, page);
  }

  async list(query: ListQuery): Promise<readonly SessionRow[]> {
    this.checkOpen();
    return this.reader.list(query);
  }

  async feed(sessionId: string, page: FeedPage): Promise<readonly FeedItem[]> {
    this.checkOpen();
    return this.reader.feed(sessionId, page);
  }
}
