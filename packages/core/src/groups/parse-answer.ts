import { SessionInputError } from '../errors.ts';
import { parseBatch } from '../manager/append.ts';
import { checkPrintable, kindOf, shapeOf } from '../session/ids.ts';
import { isPlainObject, mapItems } from '../session/json.ts';
import { parseVariablesPatch } from '../session/parse-patch.ts';
import { parseTurn, type TurnDraft } from '../session/parse-turn.ts';
import { readInput } from '../session/read-input.ts';
import type { GroupMember } from './agent.ts';
import type { RoleIsolation } from './role-isolation.ts';

/** An answer that passed the door. */
export interface ParsedAnswer {
  readonly turns: readonly TurnDraft[];
  readonly patch: ReturnType<typeof parseVariablesPatch> | null;
  /** Undefined: no hand-over. */
  readonly handOver: string | null | undefined;
  readonly ask: string | null;
}

interface Answering {
  readonly member: GroupMember;
  readonly agents: readonly GroupMember[];
  readonly isolation: RoleIsolation;
  /** Ids of the turns begin so. */
  readonly key: string;
}

/**
 * Reads what an agent answered and gives its turns their ids and their speaker.
 *
 * @throws SessionInputError, SessionLimitError
 */
export function parseAnswer(answer: unknown, answering: Answering): ParsedAnswer {
  const path = `the answer of '${answering.member.name}'`;
  return readInput(path, () => parse(answer, answering, path));
}

function parse(answer: unknown, answering: Answering, path: string): ParsedAnswer {
  if (typeof answer === 'string') return withTurns([{ content: answer }], answering);
  if (Array.isArray(answer)) return withTurns(answer, answering);
  if (!isPlainObject(answer)) {
    throw new SessionInputError(path, `expected a text, a turn or turns, got ${shapeOf(answer)}`);
  }
  const { ask, handOver, turns, unset, variables, ...turn } = answer;
  const hasTurn = Object.keys(turn).length > 0;
  if (hasTurn && turns !== undefined) {
    throw new SessionInputError(path, "give the fields of one turn, or 'turns'");
  }
  const question = ask === undefined ? null : checkQuestion(ask, `${path}.ask`);
  let said: readonly unknown[] = hasTurn ? [turn] : [];
  if (turns !== undefined) {
    if (!Array.isArray(turns)) {
      throw new SessionInputError(`${path}.turns`, `expected an array, got ${shapeOf(turns)}`);
    }
    said = turns;
  }
  if (said.length === 0 && question !== null) said = [{ content: question }];
  const patch =
    variables === undefined && unset === undefined
      ? null
      : parseVariablesPatch(variables === undefined ? {} : variables, unset);
  const { isolation, member } = answering;
  for (const key of patch === null ? [] : [...patch.set.keys(), ...patch.unset]) {
    if (!isolation.allowsVariable(key, member)) {
      throw new SessionInputError(`${path}.variables`, `it does not see the variable '${key}'`);
    }
  }
  if (handOver !== undefined && handOver !== null) checkHandOver(handOver, answering, path);
  if (handOver !== undefined && question !== null) {
    throw new SessionInputError(path, "give either 'ask' or 'handOver'");
  }
  const nothing = said.length === 0 && patch === null && handOver === undefined;
  if (nothing) throw new SessionInputError(path, 'it says nothing and does nothing');
  return {
    turns: said.length === 0 ? [] : draftsOf(said, answering),
    patch,
    handOver: handOver as string | null | undefined,
    ask: question,
  };
}

function withTurns(said: readonly unknown[], answering: Answering): ParsedAnswer {
  return { turns: draftsOf(said, answering), patch: null, handOver: undefined, ask: null };
}

function draftsOf(said: readonly unknown[], answering: Answering): readonly TurnDraft[] {
  const { agents, key, member } = answering;
  const turns = mapItems(said, (given, i) => {
    const path = `turns[${i}]`;
    if (!isPlainObject(given)) {
      throw new SessionInputError(path, `expected a turn, got ${shapeOf(given)}`);
    }
    const turn = { role: 'assistant', content: '', ...given };
    for (const field of ['turnId', 'agent']) {
      if (field in turn) throw new SessionInputError(`${path}.${field}`, 'is given by the group');
    }
    return { ...turn, turnId: `${key}.${i}`, agent: member.name };
  });
  const drafts = parseBatch(turns);
  for (const [i, { fields }] of drafts.entries()) {
    for (const field of ['visibleTo', 'hiddenFrom'] as const) {
      for (const name of fields[field] ?? []) {
        if (agents.some((agent) => agent.name === name)) continue;
        throw new SessionInputError(
          `turns[${i}].${field}`,
          `the group has no agent ${kindOf(name)}`,
        );
      }
    }
  }
  return drafts;
}

/** A question is a text that a turn could hold. */
function checkQuestion(ask: unknown, path: string): string {
  if (typeof ask !== 'string' || ask.trim() === '') {
    throw new SessionInputError(path, `expected a question, got ${shapeOf(ask)}`);
  }
  parseTurn({ role: 'assistant', content: ask }, path);
  return ask;
}

function checkHandOver(to: unknown, { agents, member }: Answering, path: string): void {
  const name = checkPrintable(to, `${path}.handOver`, 'name');
  if (name === member.name) {
    throw new SessionInputError(`${path}.handOver`, 'an agent cannot hand over to itself');
  }
  if (!agents.some((agent) => agent.name === name)) {
    throw new SessionInputError(
      `${path}.handOver`,
      `the group has no agent ${kindOf(name)}; there are ${agents.map((one) => one.name).join(', ')}`,
    );
  }
}
