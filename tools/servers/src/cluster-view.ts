/** The number of slots that a cluster spreads its keys over. */
export const slotCount = 16_384;

/** A run of slots, first and last. */
type SlotRange = readonly [number, number];

/** What a node of a cluster says of itself and of the others. */
export interface ClusterView {
  readonly id: string;
  /** The id of its master; null for a master. */
  readonly masterId: string | null;
  readonly epoch: number;
  readonly slots: readonly SlotRange[];
  /** Who is master of what and who follows whom, as this node sees it: the same text on nodes that agree. */
  readonly topology: string;
  /** What is not as it should be, in words. */
  readonly faults: readonly string[];
}

/** Reads CLUSTER NODES, CLUSTER INFO and INFO replication of one node. */
export function viewOf(nodes: string, info: string, replication: string): ClusterView {
  const lines = nodes.split('\n').filter(Boolean).map(lineOf);
  const own = lines.find((line) => line.flags.includes('myself'));
  if (own === undefined) throw new Error(`A node does not know itself: ${nodes}`);
  return {
    id: own.id,
    masterId: own.masterId,
    epoch: own.epoch,
    slots: own.slots,
    topology: lines
      .map(({ id, masterId, slots }) => `${id} ${masterId ?? slots.join(' ')}`)
      .sort()
      .join('\n'),
    faults: [
      ...lines.flatMap(faultsOf),
      ...wrong(fieldsOf(info), { cluster_state: 'ok', cluster_slots_ok: String(slotCount) }),
      ...replicationFaults(fieldsOf(replication), replicasOf(own.id, lines)),
    ],
  };
}

interface NodeLine {
  readonly id: string;
  readonly flags: readonly string[];
  readonly masterId: string | null;
  readonly epoch: number;
  readonly link: string;
  readonly slots: readonly SlotRange[];
}

function lineOf(line: string): NodeLine {
  const [id = '', , flags = '', masterId = '-', , , epoch, link = '', ...slots] = line.split(' ');
  return {
    id,
    flags: flags.split(','),
    masterId: masterId === '-' ? null : masterId,
    epoch: Number(epoch),
    link,
    // A slot that is on its way from one node to another stands in brackets.
    slots: slots.filter((range) => !range.startsWith('[')).map(rangeOf),
  };
}

function rangeOf(range: string): SlotRange {
  const [first, last = first] = range.split('-').map(Number);
  return [first ?? 0, last ?? 0];
}

function faultsOf({ flags, id, link }: NodeLine): readonly string[] {
  const bad = flags.filter((flag) => !['myself', 'master', 'slave', 'nofailover'].includes(flag));
  if (link !== 'connected') bad.push(link);
  return bad.map((what) => `${id} is ${what}`);
}

function replicasOf(id: string, lines: readonly NodeLine[]): number {
  return lines.filter((line) => line.masterId === id).length;
}

function replicationFaults(
  fields: ReadonlyMap<string, string>,
  replicas: number,
): readonly string[] {
  if (fields.get('role') !== 'master') return wrong(fields, { master_link_status: 'up' });
  const online = [...fields].filter(
    ([name, value]) => /^slave\d+$/.test(name) && value.includes('state=online'),
  );
  return online.length < replicas ? [`${online.length} of ${replicas} replicas are online`] : [];
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const pairs = info.split(/\r?\n/).map((line) => /^([^:#]+):(.*)$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', pair[2] ?? ''] as const] : [])));
}

function wrong(
  fields: ReadonlyMap<string, string>,
  expected: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(expected)
    .filter(([name, value]) => fields.get(name) !== value)
    .map(([name]) => `${name} is ${fields.get(name)}`);
}
