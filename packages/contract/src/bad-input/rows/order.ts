import { canary, type Fixture } from '../fixture.ts';
import { metadataPlaces, variablesPlaces } from '../json-places.ts';
import { fieldOf, optionPlaces, placesOf, writeOptionPlaces } from '../places.ts';
import { type BadInputRow, codes, type Place } from '../row.ts';
import type { UntypedServices } from '../untyped.ts';

// A bad argument is answered as one, whatever else is wrong: input → unknown or foreign → ended → expected.

/** A place, and a value that is bad there. */
type Faulty = readonly [place: Place, bad: unknown];

const one = { role: 'user', content: canary };
const reads = optionPlaces.slice(0, 4);

const faulty: readonly Faulty[] = [
  ...reads.map((place): Faulty => [fieldOf(place, 'unknown'), 1]),
  ...reads.slice(2).map((place): Faulty => [fieldOf(place, 'limit'), 0]),
  ...reads.slice(2).map((place): Faulty => [fieldOf(place, 'cursor'), 'garbage']),
  ...placesOf(reads, 'manager.getState').map((place): Faulty => [fieldOf(place, 'turns'), -1]),
  ...placesOf(reads, 'manager.turns').map((place): Faulty => [fieldOf(place, 'order'), 'up']),
  ...writeOptionPlaces.map((place): Faulty => [fieldOf(place, 'operationId'), '']),
  ...writeOptionPlaces.map((place): Faulty => [fieldOf(place, 'unknown'), 1]),
  ...of('manager.addTurn', 'expectedHead', 4),
  ...of('manager.addTurns', 'expectedSeq', -1),
  ...of('manager.addTurn', 'variables', { a: 1n }),
  ...of('manager.setVariables', 'expectedRevision', '1'),
  ...of('manager.setMetadata', 'unset', 'topic'),
  ...of('manager.close', 'reason', ''),
  ...of('manager.checkpoint', 'label', ''),
  ...of('branches.fork', 'atSeq', -1),
  ...of('branches.fork', 'atTurn', ''),
  ...of('manager.delete', 'withBranches', 'no'),
  ...[...metadataPlaces.slice(1, 2), ...variablesPlaces.slice(1, 2)].map(
    (place): Faulty => [place, { a: 1n }],
  ),
  argument('manager.addTurn', 'turn', { role: 'nobody', content: '' }, ({ manager }, id, turn) =>
    manager.addTurn(id, turn),
  ),
  argument('manager.addTurns', 'turns', [one, null], ({ manager }, id, turns) =>
    manager.addTurns(id, turns),
  ),
  argument('manager.edit', 'turnId', 5, ({ manager }, id, turn) => manager.edit(id, turn, canary)),
  argument('manager.edit', 'content', 5, ({ manager }, id, content) =>
    manager.edit(id, 'only', content),
  ),
  argument('manager.regenerate', 'turnId', '', ({ manager }, id, turn) =>
    manager.regenerate(id, turn),
  ),
  argument('manager.rewind', 'toTurn', 5, ({ manager }, id, toTurn) =>
    manager.rewind(id, { toTurn }),
  ),
  argument('manager.rewind', 'toSeq', -1, ({ manager }, id, toSeq) =>
    manager.rewind(id, { toSeq }),
  ),
  argument('branches.fork', 'branchName', ' ', ({ branches }, id, name) => branches.fork(id, name)),
];

function of(call: string, field: string, bad: unknown): readonly Faulty[] {
  return placesOf(writeOptionPlaces, call).map((place) => [fieldOf(place, field), bad]);
}

function argument(
  call: string,
  name: string,
  bad: unknown,
  run: (services: UntypedServices, id: unknown, value: unknown) => Promise<unknown>,
): Faulty {
  const place: Place = {
    id: `${call} ${name}`,
    name,
    call: (services, fixture, value, id = fixture.sessionId) => run(services, id, value),
  };
  return [place, bad];
}

function rows(what: string, target: (fixture: Fixture) => string): readonly BadInputRow[] {
  return faulty.map(([place, bad]) => ({
    id: `${place.id} of ${what}: the argument comes first`,
    call: (sessions, fixture) => place.call(sessions, fixture, bad, target(fixture)),
    code: codes.input,
    mentions: [place.name === 'unknown' ? 'options' : place.name],
  }));
}

const scoped: readonly BadInputRow[] = faulty.map(([place, bad]) => ({
  id: `as(owner).${place.id} of somebody else's session: the argument comes first`,
  call: (sessions, fixture) =>
    place.call(sessions.as({ userId: 'user-42' }), fixture, bad, fixture.foreignId),
  code: codes.input,
}));

export const orderRows: readonly BadInputRow[] = [
  ...rows('an unknown session', () => 'no-such-session'),
  ...rows('a closed session', ({ closedId }) => closedId),
  ...rows('a suspended session', ({ suspendedId }) => suspendedId),
  ...scoped,
];
