import {
  type Agent,
  type AgentReply,
  createModelAgent,
  type ModelAgentOptions,
} from '@lexigram/ai-session';

/** Makes an agent out of its name and what it is told to do: the teams of this folder leave open who thinks. */
export type MakeAgent = (name: string, instructions: string) => Agent;

/** Agents that say their lines, one after another. What comes next is told by the history, so a restart goes on. */
export function actors(
  lines: Readonly<Record<string, readonly (string | AgentReply)[]>>,
): MakeAgent {
  return (name) => ({
    name,
    execute(_message, history) {
      const said = history.filter(({ agent }) => agent === name).length;
      const line = lines[name]?.[said];
      if (line === undefined) throw new Error(`'${name}' has nothing more to say.`);
      return line;
    },
  });
}

/** Agents that ask a model: with the AI SDK, `thinkers((request) => generateText({ model, ...request }))`. */
export function thinkers(generate: NonNullable<ModelAgentOptions['generate']>): MakeAgent {
  return (name, instructions) =>
    createModelAgent({ name, instructions: `You are '${name}'. ${instructions}`, generate });
}
