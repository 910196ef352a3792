import { SessionInputError } from '../errors.ts';
import { checkPrintable, kindOf } from '../session/ids.ts';
import { copyJson, isPlainObject, type JsonValue, opaqueRules } from '../session/json.ts';
import { limits } from '../session/limits.ts';
import { checkOptions } from '../session/options.ts';
import { parseTurn, type TurnDraft } from '../session/parse-turn.ts';
import type { ContentPart, ToolCall, TurnInput } from '../session/turn.ts';

/** What a run waits for. */
export interface Question {
  /** The agent that asks, or that is about to do what a person is asked about. */
  readonly agent: string;
  /** `question`: answer it. `tool_call`: approve, edit or refuse the call. `turn`: may the agent speak? */
  readonly about: 'question' | 'tool_call' | 'turn';
  readonly text: string;
  readonly toolCall: ToolCall | null;
}

/** What a person decided: `edit` runs the tool call with other arguments. */
export type Decision =
  | { readonly approve: true }
  | { readonly edit: JsonValue }
  | { readonly refuse: string };

/** What `resume` takes: an answer, which becomes a turn of the user, or a decision. */
export type ResumeInput = string | readonly ContentPart[] | TurnInput | Decision;

export type ParsedInput = { readonly turn: TurnDraft } | { readonly decision: Decision };

const decisionKeys = ['approve', 'edit', 'refuse'];

/**
 * Reads what a person answered; `turnId` becomes the answer's.
 *
 * @throws SessionInputError if it does not fit the question
 */
export function parseInput(input: unknown, question: Question, turnId: string): ParsedInput {
  if (isPlainObject(input) && Object.keys(input).some((key) => decisionKeys.includes(key))) {
    return { decision: parseDecision(input, question) };
  }
  if (question.about === 'tool_call') {
    throw new SessionInputError(
      'input',
      `the run waits for a decision: { approve: true }, { edit: … } or { refuse: '…' }, got ${Array.isArray(input) ? 'a list' : typeof input}`,
    );
  }
  return { turn: parseMessage(input, turnId, 'input') };
}

/** A message of the user: a text, parts, or a turn. @throws SessionInputError, SessionLimitError */
export function parseMessage(input: unknown, turnId: string, path: string): TurnDraft {
  const isTurn = isPlainObject(input);
  const turn = isTurn ? { ...input } : { content: input };
  if ('turnId' in turn) throw new SessionInputError(path, 'the turn id is given by the run');
  return parseTurn({ role: 'user', ...turn, turnId }, path);
}

function parseDecision(input: unknown, question: Question): Decision {
  const given = checkOptions(input, decisionKeys, 'input');
  const { approve, edit, refuse } = given;
  if (Object.keys(given).length !== 1) {
    throw new SessionInputError('input', "give one of 'approve', 'edit' and 'refuse'");
  }
  if (question.about === 'question') {
    throw new SessionInputError('input', 'the run waits for an answer, not for a decision');
  }
  if (refuse !== undefined) return { refuse: checkPrintable(refuse, 'input.refuse', 'reason') };
  if (edit !== undefined) {
    if (question.about === 'turn') {
      throw new SessionInputError('input.edit', 'there is no tool call to edit');
    }
    return { edit: copyJson(edit, 'input.edit', opaqueRules(limits.depth - 3)) };
  }
  if (approve !== true) {
    throw new SessionInputError('input.approve', `expected true, got ${kindOf(approve)}`);
  }
  return { approve };
}
