import { SessionInputError } from '../errors.ts';
import type { ModelMessageData } from '../projection/formats/model-message.ts';
import { project } from '../projection/project.ts';
import { kindOf } from '../session/ids.ts';
import type { JsonValue } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import type { SessionTurn, Usage } from '../session/turn.ts';
import type { Agent, AgentContext, AgentReply, AgentTurn, ToolAnswer } from './agent.ts';
import { entriesOf } from './turn-manager.ts';

/** What a model is asked, in the form that `generateText` and `streamText` of the AI SDK take. */
export interface ModelRequest {
  /** The session's system prompt, then the agent's own instructions. */
  readonly instructions: string;
  /** What the agent may see, as messages; what other agents said comes from outside. */
  readonly messages: ModelMessageData[];
  readonly abortSignal: AbortSignal;
}

/** What a model answered, as far as it is used; a result of `generateText` fits. */
export interface ModelAnswer {
  readonly text: string;
  readonly toolCalls?:
    | readonly {
        readonly toolCallId: string;
        readonly toolName: string;
        readonly input?: unknown;
      }[]
    | undefined;
  readonly usage?: ModelUsage | undefined;
  readonly response?: { readonly modelId?: string | undefined } | undefined;
}

/** The same piece by piece; a result of `streamText` fits. */
export interface ModelStream {
  readonly textStream: AsyncIterable<string>;
  readonly text: PromiseLike<string>;
  readonly toolCalls?: PromiseLike<NonNullable<ModelAnswer['toolCalls']>> | undefined;
  readonly usage?: PromiseLike<ModelUsage> | undefined;
  readonly response?: PromiseLike<{ readonly modelId?: string | undefined }> | undefined;
}

/** Tokens as the AI SDK counts them. */
export interface ModelUsage {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
  readonly inputTokenDetails?:
    | {
        readonly cacheReadTokens?: number | undefined;
        readonly cacheWriteTokens?: number | undefined;
      }
    | undefined;
  readonly outputTokenDetails?: { readonly reasoningTokens?: number | undefined } | undefined;
}

/** A tool as the group runs it; `input` is what the model gave. */
export type ModelTool = (
  input: JsonValue,
  context: AgentContext,
) => ToolAnswer | Promise<ToolAnswer>;

/** Who the agent is, and how its model is asked. */
export interface ModelAgentOptions {
  readonly name: string;
  readonly description?: string | undefined;
  readonly instructions?: string | undefined;
  /** Asks the model; one of `generate` and `stream`. */
  readonly generate?: ((request: ModelRequest) => PromiseLike<ModelAnswer>) | undefined;
  readonly stream?: ((request: ModelRequest) => ModelStream) | undefined;
  /** By the names under which the model knows them. Declare them to the model without letting it run them itself. */
  readonly tools?: Readonly<Record<string, ModelTool>> | undefined;
  /** Tools by which the model hands over, by their names: `{ transfer_to_refunds: 'refunds' }`; null is nobody. */
  readonly handOvers?: Readonly<Record<string, string | null>> | undefined;
  /** What of the history the model is shown at most, in tokens; all of it if left out. */
  readonly maxTokens?: number | undefined;
}

const optionKeys = [
  'name',
  'description',
  'instructions',
  'generate',
  'stream',
  'tools',
  'handOvers',
  'maxTokens',
];

/**
 * An agent that asks a language model. It depends on no SDK: with the AI SDK, `generate` is
 * `(request) => generateText({ model, tools, ...request })`. Tools are run by the group, so that they can be
 * approved, and are called again with the same key after a crash.
 *
 * @throws SessionInputError
 */
export function createModelAgent(options: ModelAgentOptions): Agent {
  const given = checkOptions(options, optionKeys);
  const {
    description,
    generate,
    instructions = '',
    name,
    stream,
  } = given as Partial<ModelAgentOptions>;
  if ((typeof generate === 'function') === (typeof stream === 'function')) {
    throw new SessionInputError('options', "give a function as either 'generate' or 'stream'");
  }
  if (typeof instructions !== 'string') {
    throw new SessionInputError(
      'options.instructions',
      `expected a text, got ${kindOf(instructions)}`,
    );
  }
  const tools = new Map(
    given['tools'] === undefined ? [] : entriesOf(given['tools'], 'options.tools'),
  ) as ReadonlyMap<string, ModelTool>;
  for (const [tool, run] of tools) {
    if (typeof run === 'function') continue;
    throw new SessionInputError(`options.tools.${tool}`, `expected a function, got ${kindOf(run)}`);
  }
  const handOvers = new Map(
    given['handOvers'] === undefined ? [] : entriesOf(given['handOvers'], 'options.handOvers'),
  ) as ReadonlyMap<string, string | null>;
  const maxTokens = parseCount(given['maxTokens'], 'options.maxTokens');

  const request = (history: readonly SessionTurn[], context: AgentContext): ModelRequest => {
    const { messages, system } = project(
      history.toSorted((a, b) => a.seq - b.seq),
      { format: 'ai-sdk', viewer: context.agent, maxTokens },
    );
    const told = [system, instructions].filter((text) => text !== '' && text !== null);
    return {
      instructions: told.join('\n\n'),
      messages: [...messages],
      abortSignal: context.signal,
    };
  };

  return Object.freeze({
    name: name as string,
    description,
    execute(_message: string, history: readonly SessionTurn[], context: AgentContext) {
      const asked = request(history, context);
      return stream === undefined
        ? answered((generate as NonNullable<typeof generate>)(asked), handOvers)
        : streamed(stream(asked), handOvers);
    },
    ...(tools.size === 0
      ? {}
      : {
          callTool: (
            call: { readonly name: string; readonly arguments: JsonValue },
            context: AgentContext,
          ) => {
            const tool = tools.get(call.name);
            if (tool === undefined) throw new Error(`There is no tool '${call.name}'.`);
            return tool(call.arguments, context);
          },
        }),
  });
}

async function answered(
  asked: PromiseLike<ModelAnswer>,
  handOvers: ReadonlyMap<string, string | null>,
): Promise<AgentReply> {
  return toReply(await asked, handOvers);
}

async function* streamed(
  stream: ModelStream,
  handOvers: ReadonlyMap<string, string | null>,
): AsyncGenerator<string | AgentReply> {
  for await (const text of stream.textStream) if (text !== '') yield text;
  yield toReply(
    {
      text: await stream.text,
      toolCalls: await stream.toolCalls,
      usage: await stream.usage,
      response: await stream.response,
    },
    handOvers,
  );
}

/** A model's answer as turns: what it said with its calls, and for a hand-over the result of its call. */
function toReply(
  { response, text, toolCalls = [], usage }: ModelAnswer,
  handOvers: ReadonlyMap<string, string | null>,
): AgentReply {
  const turn: AgentTurn = {
    content: text,
    ...(toolCalls.length === 0
      ? {}
      : {
          toolCalls: toolCalls.map(({ input, toolCallId, toolName }) => ({
            id: toolCallId,
            name: toolName,
            arguments: (input ?? {}) as JsonValue,
          })),
        }),
    ...(usage === undefined ? {} : { usage: toUsage(usage) }),
    ...(response?.modelId === undefined ? {} : { model: response.modelId }),
  };
  const calls = toolCalls.filter(({ toolName }) => handOvers.has(toolName));
  const [first] = calls;
  if (first === undefined) return { turns: [turn] };
  const to = handOvers.get(first.toolName) ?? null;
  // Every call needs its result; only the first one is followed.
  const results = calls.map(
    ({ toolCallId, toolName }): AgentTurn => ({
      role: 'tool',
      toolCallId,
      name: toolName,
      content:
        toolCallId === first.toolCallId ? `Handed over to ${to ?? 'nobody'}.` : 'Not followed.',
    }),
  );
  return { turns: [turn, ...results], handOver: to };
}

function toUsage(usage: ModelUsage): Usage {
  const { inputTokenDetails, inputTokens, outputTokenDetails, outputTokens, totalTokens } = usage;
  const counts = {
    inputTokens,
    outputTokens,
    cacheReadTokens: inputTokenDetails?.cacheReadTokens,
    cacheWriteTokens: inputTokenDetails?.cacheWriteTokens,
    reasoningTokens: outputTokenDetails?.reasoningTokens,
    totalTokens,
  };
  const known = Object.entries(counts).filter(([, count]) => Number.isSafeInteger(count));
  return Object.fromEntries(known);
}
