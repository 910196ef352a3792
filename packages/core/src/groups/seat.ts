import { SessionCapacityError, SessionInputError } from '../errors.ts';
import { checkName, checkPrintable, kindOf } from '../session/ids.ts';
import { isPlainObject, prototypeKeys } from '../session/json.ts';
import { checkOptions } from '../session/options.ts';
import { parseCount } from '../session/parse-head.ts';
import { readInput } from '../session/read-input.ts';
import type { Agent, AgentOptions, ErrorPolicy, GroupMember } from './agent.ts';

/** An agent in its group, with how it takes part. */
export interface Seat {
  readonly member: GroupMember;
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly onError: ErrorPolicy;
}

/** Words that mean something else where a speaker is named. */
const reserved: ReadonlySet<string> = new Set([
  ...prototypeKeys,
  'system',
  'user',
  'assistant',
  'tool',
]);

const defaultTimeoutMs = 600_000;
/** The longest that a timer of the runtime can be set for. */
const maxTimeoutMs = 2_147_483_647;
const maxRetries = 10;

/**
 * Reads an agent and how it takes part.
 *
 * @throws SessionInputError; SessionCapacityError if the group is full
 */
export function toSeat(
  agent: unknown,
  options: AgentOptions | undefined,
  seats: ReadonlyMap<string, Seat>,
  maxAgents: number,
): Seat {
  const { description, name } = readInput('agent', () => readAgent(agent));
  if (seats.has(name)) {
    throw new SessionInputError('agent.name', `the group has an agent ${kindOf(name)} already`);
  }
  if (seats.size >= maxAgents) {
    throw new SessionCapacityError(
      `the group has reached the agent limit (${maxAgents})`,
      'maxAgentsPerGroup',
      maxAgents,
    );
  }
  const known = ['role', 'priority', 'timeoutMs', 'retries', 'onError'];
  const given = checkOptions(options, known);
  const { onError, priority = 0, role } = given;
  if (typeof priority !== 'number' || !Number.isFinite(priority)) {
    throw new SessionInputError(
      'options.priority',
      `expected a finite number, got ${kindOf(priority)}`,
    );
  }
  const timeoutMs = parseCount(given['timeoutMs'], 'options.timeoutMs', maxTimeoutMs);
  return Object.freeze({
    member: Object.freeze({
      name,
      role: role === undefined ? null : checkName(role, 'options.role'),
      priority,
      description,
    }),
    agent: agent as Agent,
    timeoutMs: timeoutMs ?? defaultTimeoutMs,
    retries: parseCount(given['retries'], 'options.retries', maxRetries) ?? 0,
    onError: parsePolicy(onError, name),
  });
}

function readAgent(agent: unknown): { name: string; description: string | null } {
  if (typeof agent !== 'object' || agent === null) {
    throw new SessionInputError('agent', `expected an agent, got ${kindOf(agent)}`);
  }
  const { callTool, description, execute, name: given } = agent as Record<string, unknown>;
  const name = checkName(given, 'agent.name');
  if (reserved.has(name)) {
    throw new SessionInputError('agent.name', `${kindOf(name)} is reserved; choose another name`);
  }
  if (typeof execute !== 'function') {
    throw new SessionInputError('agent.execute', `expected a function, got ${kindOf(execute)}`);
  }
  if (callTool !== undefined && typeof callTool !== 'function') {
    throw new SessionInputError('agent.callTool', `expected a function, got ${kindOf(callTool)}`);
  }
  return {
    name,
    description:
      description === undefined ? null : checkPrintable(description, 'agent.description'),
  };
}

function parsePolicy(given: unknown, name: string): ErrorPolicy {
  if (given === undefined) return 'stop';
  if (given === 'stop' || given === 'skip') return given;
  if (!isPlainObject(given)) {
    throw new SessionInputError(
      'options.onError',
      `expected 'stop', 'skip' or { fallback: an agent }, got ${kindOf(given)}`,
    );
  }
  const { fallback } = checkOptions(given, ['fallback'], 'options.onError');
  const other = checkName(fallback, 'options.onError.fallback');
  if (other === name) {
    throw new SessionInputError('options.onError.fallback', 'an agent cannot stand in for itself');
  }
  return { fallback: other };
}
