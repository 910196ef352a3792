import {
  isSessionError,
  SessionConflictError,
  SessionNotFoundError,
  type SessionState,
  type Sessions,
  type TurnInput,
} from '@lexigram/ai-session';
import type { Conversation } from '../conversations/read.ts';
import { branchNamed, tourUser } from './import-conversations.ts';
import { quote } from './said.ts';
import { count, usd, whole } from './text.ts';

/** The session that lives through everything. */
export const lifeId = 'tour-life';

/** The conversation that it retells: an agent's first try, turns 13 to 15, and its second one, from turn 17. */
export const lifeConversation = 'pi-large-session';
const firstTry = { after: 12, end: 15 };
const secondTry = { after: 16, end: 23 };
const branchName = 'second-try-only';

/** One thing that happened. */
export interface Step {
  readonly name: string;
  readonly text: string;
}

/** What came of it: `told` if the session's life was over before, `deleted` if somebody deleted it. */
export type Outcome = 'told now' | 'told before' | 'deleted';

/**
 * Takes a session through its life, from create to close, and tells each step when it is done. A run that was
 * broken off anywhere is taken up by the next one: an operation id makes the same call again answer as before,
 * a turn id the same turn, and what the session's own state shows is not asked for a second time.
 */
export async function live(
  sessions: Sessions,
  { id, license, source, turns }: Conversation,
  tell: (step: Step) => void | Promise<void>,
): Promise<Outcome> {
  const { branches, checkpoints, manager } = sessions;
  const talk = turns.map(({ turn }) => turn);
  const now = (): Promise<SessionState> => manager.getState(lifeId);
  const once = (step: string) => ({ operationId: `tour-life-${step}` });

  const before = await found(now);
  if (before === null) {
    const metadata = { title: 'The life of a session', kind: 'life', retells: id, source, license };
    const created = { sessionId: lifeId, userId: tourUser, metadata, ...once('create') };
    if (!(await isCreated(manager.create(created)))) return 'deleted';
  } else if (before.status === 'closed' || before.status === 'expired') {
    return 'told before';
  }
  await tell({ name: 'create', text: `Session ${lifeId}, of the user ${tourUser}.` });

  for (const turn of talk.slice(0, firstTry.end)) await manager.addTurn(lifeId, turn);
  const asked = quote(talk[2] as TurnInput, 76);
  const answered = quote(talk[firstTry.end - 1] as TurnInput, 76);
  await tell({
    name: 'turns',
    text: `Somebody asks a coding agent: ${asked} It reads, edits, and in turn ${firstTry.end} says: ${answered} Each turn was one addTurn, on the disk when that returned.`,
  });

  const { items } = await checkpoints.list(lifeId);
  const checkpoint = items.find(({ automatic, turnCount }) => automatic && turnCount === 10);
  if (checkpoint === undefined) throw new Error(`${lifeId} has no checkpoint at turn 10.`);
  await tell({
    name: 'checkpoint',
    text: 'Turn 10 made one by itself, in its own commit: a pointer, nothing was copied.',
  });

  if ((await now()).status === 'active') await manager.suspend(lifeId, once('suspend'));
  const early = await refusalOf(manager.addTurn(lifeId, talk[firstTry.end] as TurnInput));
  await tell({
    name: 'suspend',
    text: `They go and look at the result. ${early === null ? 'Until they are back no turn is accepted.' : `A turn meanwhile is refused: ${early}.`}`,
  });

  if ((await now()).status === 'suspended') await manager.resume(lifeId, once('resume'));
  for (const turn of talk.slice(firstTry.end, secondTry.end)) await manager.addTurn(lifeId, turn);
  const grown = await manager.getState(lifeId);
  await tell({
    name: 'resume',
    text: `Nine minutes later: “i undid your changes, try again.” The second try ends at turn ${secondTry.end}. So far ${sums(grown)}.`,
  });

  const atCheckpoint = async () => (await now()).turnCount === checkpoint.turnCount;
  const restored = (await atCheckpoint())
    ? await now()
    : await manager.restore(checkpoint.checkpointId, once('restore'));
  await tell({
    name: 'restore',
    text: `Back to the checkpoint: ${sums(restored)}. What came after lies aside, and what it cost stays counted: ${usd(restored.lifetimeCost)}.`,
  });

  const back = (await atCheckpoint()) ? await manager.undo(lifeId, once('undo')) : await now();
  await tell({
    name: 'undo',
    text: `That was one move, and one undo takes it back: ${count(back.turnCount, 'turn')} again.`,
  });

  const branchId =
    (await branchNamed(sessions, lifeId, branchName)) ??
    (await branches.fork(lifeId, branchName, { atSeq: firstTry.after, ...once('fork') })).sessionId;
  await manager.addTurns(branchId, talk.slice(secondTry.after, secondTry.end));
  const branch = await manager.getState(branchId);
  const same = (await now()).revision === back.revision;
  await tell({
    name: 'fork',
    text: `What if the first try had never been? The branch ${branchName} starts after turn ${firstTry.after} and goes on with the second one: ${sums(branch)}. ${firstTry.after} turns are shared; ${same ? `${lifeId} did not change` : `${lifeId} stays as it is`}.`,
  });

  await manager.close(lifeId, { reason: 'done', ...once('close') });
  const late = await refusalOf(manager.addTurn(lifeId, talk[secondTry.end] as TurnInput));
  await tell({
    name: 'close',
    text: `The end: ${late ?? 'closed'}. Its branch lives on, and both can be read and forked.`,
  });
  return 'told now';
}

async function found(state: () => Promise<SessionState>): Promise<SessionState | null> {
  try {
    return await state();
  } catch (error) {
    if (error instanceof SessionNotFoundError) return null;
    throw error;
  }
}

async function isCreated(created: Promise<SessionState>): Promise<boolean> {
  try {
    await created;
    return true;
  } catch (error) {
    // The id of a deleted session is not used again.
    if (error instanceof SessionConflictError && error.reason === 'session') return false;
    throw error;
  }
}

/** The name and the code of the error with which a call is refused; null if it is not. */
async function refusalOf(call: Promise<unknown>): Promise<string | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (!isSessionError(error)) throw error;
    return `${error.name} (${error.code})`;
  }
}

function sums({ totalCost, totalTokens, turnCount }: SessionState): string {
  return `${count(turnCount, 'turn')}, ${whole(totalTokens)} tokens, ${usd(totalCost)}`;
}
