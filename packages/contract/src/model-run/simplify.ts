import type { Command, SessionCommand, Target, TurnChoice } from './command.ts';

/**
 * Makes a failure simple: takes out commands, large pieces first, until no single one can go, and then says each
 * of them in the plainest way that still fails.
 */
export async function simplify(
  commands: readonly Command[],
  fails: (commands: readonly Command[]) => Promise<boolean>,
): Promise<readonly Command[]> {
  let rest = await shorten(commands, fails);
  for (const i of rest.keys()) {
    for (const simpler of simplerWays) {
      const before = rest[i] as Command;
      const tried = rest.with(i, simpler(before));
      if (JSON.stringify(tried[i]) !== JSON.stringify(before) && (await fails(tried))) rest = tried;
    }
  }
  return shorten(rest, fails);
}

async function shorten(
  commands: readonly Command[],
  fails: (commands: readonly Command[]) => Promise<boolean>,
): Promise<readonly Command[]> {
  let rest = commands;
  for (let size = Math.ceil(rest.length / 2); size >= 1; size = Math.floor(size / 2)) {
    let from = rest.length - size;
    while (from >= 0) {
      const fewer = rest.toSpliced(from, size);
      const smaller = await fails(fewer);
      if (smaller) rest = fewer;
      // With single ones begin again: what had to stay may go now.
      from = smaller && size === 1 ? rest.length - 1 : from - size;
    }
  }
  return rest;
}

const plainTurn: TurnChoice = { id: 'generated', n: 0, body: 0, timestamp: undefined };

/** Each way makes a command plainer in one respect, and leaves others as they are. */
const simplerWays: readonly ((command: Command) => Command)[] = [
  (command) => ('operation' in command ? { ...command, operation: false } : command),
  (command) => withTarget(command, { via: 'anyone' }),
  (command) => withTarget(command, { n: 0 }),
  (command) => withTarget(command, { aim: 'fit' }),
  (command) => (isAdding(command) ? { ...command, patch: null } : command),
  (command) => (isAdding(command) ? { ...command, head: 'none' } : command),
  (command) => (isAdding(command) ? { ...command, seq: 'none' } : command),
  (command) => ('revision' in command ? { ...command, revision: 'none' } : command),
  (command) => withTurns(command, (turns) => turns.map(() => plainTurn)),
  (command) => singly(command),
  (command) => withTurns(command, (turns) => turns.slice(0, 1)),
  (command) => withTurns(command, (turns) => turns.slice(0, -1)),
  (command) => withTurns(command, (turns) => turns.slice(0, -1)),
  (command) => (command.do === 'addTurn' ? { ...command, turn: plainTurn } : command),
  (command) => (command.do === 'rewind' ? { ...command, to: { seq: 0, beyond: false } } : command),
  (command) => (command.do === 'edit' ? { ...command, times: 1 } : command),
  (command) => (command.do === 'create' ? { ...command, metadata: {}, variables: {} } : command),
  (command) => (command.do === 'create' ? { ...command, prompt: null, owner: 0 } : command),
  (command) => (command.do === 'fork' ? { ...command, at: { kind: 'head' } } : command),
  (command) => (command.do === 'checkpoint' ? { ...command, label: null, metadata: {} } : command),
];

function isAdding(
  command: Command,
): command is Extract<SessionCommand, { readonly do: 'addTurn' | 'addTurns' }> {
  return command.do === 'addTurn' || command.do === 'addTurns';
}

function withTarget(command: Command, change: Partial<Target>): Command {
  return 'target' in command ? { ...command, target: { ...command.target, ...change } } : command;
}

function withTurns(
  command: Command,
  change: (turns: readonly TurnChoice[]) => readonly TurnChoice[],
): Command {
  if (command.do !== 'addTurns') return command;
  const turns = change(command.turns);
  return turns.length === 0 ? command : { ...command, turns };
}

/** A batch as a single turn. */
function singly(command: Command): Command {
  if (command.do !== 'addTurns') return command;
  const { turns, fitted, ...rest } = command;
  return { ...rest, do: 'addTurn', turn: turns[0] ?? plainTurn };
}
