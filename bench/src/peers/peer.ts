/** One turn of a conversation as every peer can keep it. */
export interface PeerTurn {
  readonly id: string;
  readonly text: string;
}

/** A conversation that a peer keeps. */
export interface PeerConversation {
  /** Adds a turn as an application does that keeps nothing between two turns but the conversation's id. */
  add(turn: PeerTurn): Promise<void>;
  /** The ids of the newest turns, oldest first. */
  last(count: number): Promise<readonly string[]>;
}

/** What a peer has open. */
export interface PeerStore {
  /** A new conversation of so many turns. */
  begin(id: string, turns: readonly PeerTurn[]): Promise<PeerConversation>;
  /** A conversation that is there, for one more caller. */
  open(id: string): Promise<PeerConversation>;
  /** A second conversation that goes on from where the first one is; of those that have such a call. */
  copy?(id: string, to: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A library that keeps conversations, ours among them. */
export interface Peer {
  readonly name: string;
  /** Opens a file in this directory; those that keep nothing leave it alone. */
  open(directory: string): Promise<PeerStore>;
}

/** Turns of about 600 bytes. */
export function makeTurns(from: number, count: number, who = 'turn'): readonly PeerTurn[] {
  const text = 'What a model says is about as long as this. '.repeat(14);
  return Array.from({ length: count }, (_, n) => ({ id: `${who}-${from + n}`, text }));
}
