import { SessionInputError } from '../errors.ts';
import { kindOf, shapeOf } from '../session/ids.ts';
import { isPlainObject } from '../session/json.ts';
import { parseTurn, type TurnDraft } from '../session/parse-turn.ts';
import type { ToolCall } from '../session/turn.ts';
import type { Decision } from './question.ts';
import { Interrupted } from './try-agent.ts';

interface Given {
  readonly call: ToolCall;
  readonly turnId: string;
  readonly agent: string;
  readonly decision: Decision | undefined;
}

/**
 * The turn that answers a tool call: its result, what a person said instead, or that it failed. A tool that fails
 * is no fault of the agent: it reads so and goes on.
 */
export async function toolTurn(
  { agent, call, decision, turnId }: Given,
  run: (call: ToolCall) => unknown,
): Promise<TurnDraft> {
  const fixed = { role: 'tool', agent, name: call.name.slice(0, 256), toolCallId: call.id, turnId };
  if (decision !== undefined && 'refuse' in decision) {
    return parseTurn({ ...fixed, content: `Refused: ${decision.refuse}`, isError: true });
  }
  const edited = decision !== undefined && 'edit' in decision ? decision.edit : undefined;
  try {
    const decided = edited === undefined ? call : { ...call, arguments: edited };
    const answer = toFields(await run(decided));
    // What really ran stands with the result; the call stays as the model wrote it.
    const metadata =
      edited === undefined ? {} : { metadata: { ...answer.metadata, arguments: edited } };
    return parseTurn({ ...answer, ...metadata, ...fixed });
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const content = error instanceof Error ? error.message : 'the tool failed';
    const safe = content.toWellFormed().replaceAll('\0', '').slice(0, 10_000);
    return parseTurn({ ...fixed, content: safe, isError: true });
  }
}

function toFields(answer: unknown): { readonly metadata?: object } & Record<string, unknown> {
  if (typeof answer === 'string' || Array.isArray(answer)) return { content: answer };
  if (!isPlainObject(answer)) {
    throw new SessionInputError('the answer of a tool', `expected a text, got ${shapeOf(answer)}`);
  }
  const { content, isError, metadata, ...rest } = answer;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) {
    throw new SessionInputError('the answer of a tool', `unknown field ${kindOf(unknown)}`);
  }
  return {
    content,
    ...(isError === undefined ? {} : { isError }),
    ...(metadata === undefined ? {} : { metadata: metadata as object }),
  };
}
