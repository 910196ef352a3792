import { realConversations } from '../conversations.ts';

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

/**
 * What people and models said, in Latin letters: a text that repeats itself would be cheaper to keep for whoever
 * compresses, and one with a single other letter dearer for whoever joins many into one.
 */
const said = (await realConversations())
  .flatMap(({ turns }) => turns)
  .flatMap(({ content }) => (typeof content === 'string' && isLatin(content) ? [content] : []))
  .join('\n');

function isLatin(text: string): boolean {
  return [...text].every((letter) => letter <= '\u00ff');
}

const characters = 600;

/** Turns of some 600 characters of real conversations. */
export function makeTurns(from: number, count: number, who = 'turn'): readonly PeerTurn[] {
  return Array.from({ length: count }, (_, n) => {
    const at = ((from + n) * characters) % (said.length - characters);
    return { id: `${who}-${from + n}`, text: said.slice(at, at + characters) };
  });
}
