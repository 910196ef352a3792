import type { AddTurnOptions, TurnInput } from '@lexigram/ai-session';
import type { CommandFields, TurnChoice } from '../command.ts';
import type { Trial } from '../context.ts';
import { type AddOptions, addTurns } from '../model/add-turns.ts';
import { headOf, type ModelHead, type ModelSession, requireVisible } from '../model/session.ts';
import type { GivenTurn, ModelTurn } from '../model/turn.ts';
import { changedBody, reordered, turnBodies } from '../turn-bodies.ts';
import { type Aim, type Call, pick, realHead } from './call.ts';

export function addTurnCall(trial: Trial, aim: Aim, fields: CommandFields['addTurn']): Call {
  const [given] = chooseTurns(trial, aim.session, [fields.turn]) as [GivenTurn];
  const options = expectedOf(aim.session, fields);
  return {
    title: `${aim.label}: addTurn ${trial.names.show(given)}${shownOptions(trial, options)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      const { turns, ...answer } = addTurns(trial.model, aim.session, [given], options) as {
        readonly turns: readonly object[];
      };
      return { turn: turns[0], ...answer };
    },
    invoke: (operationId) =>
      aim
        .services()
        .manager.addTurn(aim.id(), toInput(trial, given), realOptions(trial, options, operationId)),
  };
}

export function addTurnsCall(trial: Trial, aim: Aim, fields: CommandFields['addTurns']): Call {
  const chosen = chooseTurns(trial, aim.session, fields.turns);
  const given = fields.fitted ? fitting(trial, aim.session, chosen) : chosen;
  const options = expectedOf(aim.session, fields);
  return {
    title: `${aim.label}: addTurns ${given.length} ${trial.names.show(given)}${shownOptions(trial, options)}`,
    expect: () => {
      requireVisible(aim.session, aim.caller);
      return addTurns(trial.model, aim.session, given, options);
    },
    invoke: (operationId) =>
      aim.services().manager.addTurns(
        aim.id(),
        given.map((turn) => toInput(trial, turn)),
        realOptions(trial, options, operationId),
      ),
  };
}

/** What the choices mean in a session. No id comes twice; a batch that begins with a repeat is one as a whole. */
function chooseTurns(
  trial: Trial,
  session: ModelSession | null,
  choices: readonly TurnChoice[],
): readonly GivenTurn[] {
  const own = session?.own ?? [];
  const first = choices[0] as TurnChoice;
  if (first.id === 'repeated' && own.length > 0) {
    const start = first.n % own.length;
    return own.slice(start, start + choices.length).map(({ turn }) => repeatOf(turn, first));
  }
  const taken = new Set<unknown>();
  return choices.map((choice) => {
    const given = chooseTurn(trial, session, choice);
    const again = given.id !== null && taken.has(given.id);
    taken.add(given.id);
    return again ? { ...given, id: null } : given;
  });
}

function chooseTurn(trial: Trial, session: ModelSession | null, choice: TurnChoice): GivenTurn {
  const { n, timestamp } = choice;
  const body = turnBodies[choice.body % turnBodies.length] as GivenTurn['body'];
  const own = session?.own.map((one) => one.turn) ?? [];
  const there = pick(own, n);
  const inherited = session?.timeline.turns.filter((turn) => !own.includes(turn)) ?? [];
  if (choice.id === 'repeated' && there !== null) {
    return repeatOf(there, choice);
  }
  if (choice.id === 'changed' && there !== null) {
    return { id: there.id, body: changedBody(there.body, n), timestamp };
  }
  if (choice.id === 'inherited' && inherited.length > 0) {
    return { id: pick(inherited, n)?.id ?? null, body, timestamp };
  }
  if (choice.id === 'generated') return { id: null, body, timestamp };
  return { id: trial.newChosenId('turn'), body, timestamp };
}

/** The same content once more; neither the order of its keys nor its time counts. */
function repeatOf({ body, id }: ModelTurn, { n, timestamp }: TurnChoice): GivenTurn {
  return { id, body: n % 3 === 0 ? body : reordered(body), timestamp };
}

/** As many as the caps allow, but at least one. */
function fitting(
  { model }: Trial,
  session: ModelSession | null,
  given: readonly GivenTurn[],
): readonly GivenTurn[] {
  if (session === null) return given;
  const cap = model.config.maxTurnsPerSession;
  const room = Math.min(cap - session.timeline.turns.length, cap * 10 - session.own.length);
  return given.slice(0, Math.max(1, room));
}

function expectedOf(
  session: ModelSession | null,
  { head, n, patch, seq }: CommandFields['addTurn' | 'addTurns'],
): AddOptions {
  const nowhere: ModelHead = { timelineId: 'no-such-timeline', seq: 0, turnId: null };
  const now = session === null ? nowhere : headOf(session);
  const before = pick(session?.heads ?? [], n + 1) ?? nowhere;
  return {
    ...(head === 'none' ? {} : { head: head === 'fresh' ? now : before }),
    ...(seq === 'none' ? {} : { seq: seq === 'fresh' ? now.seq : now.seq + 1 }),
    ...(patch === null ? {} : { patch }),
  };
}

function realOptions(
  trial: Trial,
  { head, patch, seq }: AddOptions,
  operationId: string | undefined,
): AddTurnOptions {
  return {
    operationId,
    ...(head === undefined ? {} : { expectedHead: realHead(trial, head) }),
    ...(seq === undefined ? {} : { expectedSeq: seq }),
    ...(patch === undefined ? {} : { variables: patch.set, unset: patch.unset }),
  };
}

function shownOptions(trial: Trial, options: AddOptions): string {
  return Object.keys(options).length === 0 ? '' : ` expecting ${trial.names.show(options)}`;
}

function toInput(trial: Trial, { body, id, timestamp }: GivenTurn): TurnInput {
  return {
    ...body,
    ...(id === null ? {} : { turnId: trial.names.id(id) }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}
