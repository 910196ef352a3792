import { canary } from './fixture.ts';
import { type Place, place } from './row.ts';
import { readAll } from './untyped.ts';

const turn = { role: 'user', content: canary };

/** The session id of every call that takes one. */
export const sessionIdPlaces: readonly Place[] = [
  at('manager.getState', ({ manager }, _, id) => manager.getState(id)),
  at('manager.turns', ({ manager }, _, id) => readAll(manager.turns(id))),
  at('manager.addTurn', ({ manager }, _, id) => manager.addTurn(id, turn)),
  at('manager.addTurns', ({ manager }, _, id) => manager.addTurns(id, [turn])),
  at('manager.setVariables', ({ manager }, _, id) => manager.setVariables(id, { a: 1 })),
  at('manager.setMetadata', ({ manager }, _, id) => manager.setMetadata(id, { a: 1 })),
  at('manager.suspend', ({ manager }, _, id) => manager.suspend(id)),
  at('manager.resume', ({ manager }, _, id) => manager.resume(id)),
  at('manager.close', ({ manager }, _, id) => manager.close(id)),
  at('manager.delete', ({ manager }, _, id) => manager.delete(id)),
  at('manager.checkpoint', ({ manager }, _, id) => manager.checkpoint(id)),
  at('manager.rewind', ({ manager }, _, id) => manager.rewind(id, { toSeq: 1 })),
  at('manager.edit', ({ manager }, { turnId }, id) => manager.edit(id, turnId, canary)),
  at('manager.regenerate', ({ manager }, { turnId }, id) => manager.regenerate(id, turnId)),
  at('manager.siblings', ({ manager }, { turnId }, id) => manager.siblings(id, turnId)),
  at('manager.select', ({ manager }, { turnId }, id) => manager.select(id, turnId)),
  at('manager.undo', ({ manager }, _, id) => manager.undo(id)),
  at('manager.redo', ({ manager }, _, id) => manager.redo(id)),
  at('checkpoints.create', ({ checkpoints }, _, id) => checkpoints.create(id)),
  at('checkpoints.list', ({ checkpoints }, _, id) => checkpoints.list(id)),
  at('branches.fork', ({ branches }, _, id) => branches.fork(id, 'name')),
  at('branches.list', ({ branches }, _, id) => branches.list(id)),
  place('branches.merge parentId', 'parentId', ({ branches }, f, id) =>
    branches.merge(id, f.sessionId),
  ),
  place('branches.merge branchId', 'branchId', ({ branches }, f, id) =>
    branches.merge(f.sessionId, id),
  ),
  place('branches.diff a', 'a', ({ branches }, f, id) => branches.diff(id, f.sessionId)),
  place('branches.diff b', 'b', ({ branches }, f, id) => branches.diff(f.sessionId, id)),
  at('branches.tree', ({ branches }, _, id) => branches.tree(id)),
  at('analytics.session', ({ analytics }, _, id) => analytics.session(id)),
];

function at(id: string, call: Place['call']): Place {
  return place(`${id} sessionId`, 'sessionId', call);
}

/** The checkpoint id of every call that takes one. */
export const checkpointIdPlaces: readonly Place[] = [
  checkpointAt('manager.restore', ({ manager }, _, id) => manager.restore(id)),
  checkpointAt('checkpoints.get', ({ checkpoints }, _, id) => checkpoints.get(id)),
  checkpointAt('checkpoints.restore', ({ checkpoints }, _, id) => checkpoints.restore(id)),
  checkpointAt('checkpoints.delete', ({ checkpoints }, _, id) => checkpoints.delete(id)),
  checkpointAt('checkpoints.diff a', ({ checkpoints }, f, id) =>
    checkpoints.diff(id, f.checkpointId),
  ),
  checkpointAt('checkpoints.diff b', ({ checkpoints }, f, id) =>
    checkpoints.diff(f.checkpointId, id),
  ),
  checkpointAt('branches.fork fromCheckpoint', ({ branches }, { sessionId }, id) =>
    branches.fork(sessionId, 'name', { fromCheckpoint: id }),
  ),
];

function checkpointAt(id: string, call: Place['call']): Place {
  return place(id, 'Checkpoint not found', call);
}

/** The options of every call that takes some: where `{ [field]: value }` is put beside what the call needs. */
export const optionPlaces: readonly Place[] = [
  options('manager.getState', ({ manager }, { sessionId }, o, id = sessionId) =>
    manager.getState(id, o),
  ),
  options('manager.turns', ({ manager }, { sessionId }, o, id = sessionId) =>
    readAll(manager.turns(id, o)),
  ),
  options('checkpoints.list', ({ checkpoints }, { sessionId }, o, id = sessionId) =>
    checkpoints.list(id, o),
  ),
  options('branches.list', ({ branches }, { sessionId }, o, id = sessionId) =>
    branches.list(id, o),
  ),
  options('manager.siblings', ({ manager }, f, o, id = f.sessionId) =>
    manager.siblings(id, f.turnId, o),
  ),
  options('branches.tree', ({ branches }, { sessionId }, o, id = sessionId) =>
    branches.tree(id, o),
  ),
  place('manager.list query', 'query', ({ manager }, _, o) => manager.list(o)),
];

/** The options of every call that writes; all of them take `operationId`. */
export const writeOptionPlaces: readonly Place[] = [
  options('manager.addTurn', ({ manager }, f, o, id = f.sessionId) => manager.addTurn(id, turn, o)),
  options('manager.addTurns', ({ manager }, f, o, id = f.sessionId) =>
    manager.addTurns(id, [turn], o),
  ),
  options('manager.setVariables', ({ manager }, f, o, id = f.sessionId) =>
    manager.setVariables(id, { a: 1 }, o),
  ),
  options('manager.setMetadata', ({ manager }, f, o, id = f.sessionId) =>
    manager.setMetadata(id, { a: 1 }, o),
  ),
  options('manager.suspend', ({ manager }, f, o, id = f.sessionId) => manager.suspend(id, o)),
  options('manager.resume', ({ manager }, f, o, id = f.suspendedId) => manager.resume(id, o)),
  options('manager.close', ({ manager }, f, o, id = f.sessionId) => manager.close(id, o)),
  options('manager.delete', ({ manager }, f, o, id = f.sessionId) => manager.delete(id, o)),
  options('manager.checkpoint', ({ manager }, f, o, id = f.sessionId) => manager.checkpoint(id, o)),
  options('manager.rewind', ({ manager }, f, o, id = f.sessionId) =>
    manager.rewind(id, { toSeq: 1 }, o),
  ),
  options('manager.edit', ({ manager }, f, o, id = f.sessionId) =>
    manager.edit(id, f.turnId, canary, o),
  ),
  options('manager.regenerate', ({ manager }, f, o, id = f.sessionId) =>
    manager.regenerate(id, f.turnId, o),
  ),
  options('manager.select', ({ manager }, f, o, id = f.sessionId) =>
    manager.select(id, f.turnId, o),
  ),
  options('manager.undo', ({ manager }, f, o, id = f.sessionId) => manager.undo(id, o)),
  options('manager.redo', ({ manager }, f, o, id = f.sessionId) => manager.redo(id, o)),
  options('checkpoints.create', ({ checkpoints }, f, o, id = f.sessionId) =>
    checkpoints.create(id, o),
  ),
  options('branches.fork', ({ branches }, f, o, id = f.sessionId) => branches.fork(id, 'name', o)),
  options('branches.merge', ({ branches }, f, o, id = f.sessionId) =>
    branches.merge(id, f.foreignId, o),
  ),
];

function options(id: string, call: Place['call']): Place {
  return place(`${id} options`, 'options', call);
}

/** The options of calls that name a checkpoint and no session. */
export const checkpointOptionPlaces: readonly Place[] = [
  options('manager.restore', ({ manager }, f, o) => manager.restore(f.checkpointId, o)),
  options('checkpoints.restore', ({ checkpoints }, f, o) => checkpoints.restore(f.checkpointId, o)),
  options('checkpoints.delete', ({ checkpoints }, f, o) => checkpoints.delete(f.checkpointId, o)),
];

/** A field of a place's options. */
export function fieldOf({ call, id }: Place, field: string, name: string = field): Place {
  return place(
    id.replace(/ (options|query)$/, ` ${field}`),
    name,
    (services, fixture, value, sessionId) => call(services, fixture, { [field]: value }, sessionId),
  );
}

/** Places by the name of their call, like `manager.addTurn`. */
export function placesOf(places: readonly Place[], ...calls: readonly string[]): readonly Place[] {
  return calls.map((call) => {
    const found = places.find(({ id }) => id.startsWith(`${call} `));
    if (found === undefined) throw new Error(`There is no place of the call '${call}'`);
    return found;
  });
}

/** A field of a turn; `wrap` puts it where it belongs. */
export function ofTurn(name: string, wrap: (value: unknown) => object): Place {
  return place(`manager.addTurn turn.${name}`, `turn.${name}`, ({ manager }, f, value) =>
    manager.addTurn(f.sessionId, { ...turn, ...wrap(value) }),
  );
}
