import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { houseOrder, lazyExceptions, portableDoors } from './house.ts';
import { type ImportSite, readSource, type SourceFacts } from './read-source.ts';

interface Member {
  /** Folder from the root, such as `packages/core`. */
  readonly folder: string;
  readonly name: string;
  /** The names that others may import, such as `@lexigram/ai-session/model`. */
  readonly doors: ReadonlySet<string>;
  /** The source files behind those names. */
  readonly doorFiles: ReadonlySet<string>;
  readonly rank: number;
}

type Graph = ReadonlyMap<string, readonly string[]>;

/** Checks every import of the repository at `root` against the house; one line for each fault. */
export function findFaults(root: string): string[] {
  const faults: string[] = [];
  const members = readMembers(root, faults);
  const byName = new Map(members.map((member) => [member.name, member]));
  const isPackageName = (text: string) => memberNamed(byName, text) !== undefined;
  const graph = new Map<string, readonly string[]>();
  const facts = new Map<string, SourceFacts>();

  for (const member of members) {
    for (const file of filesOf(root, member.folder)) {
      const found = readSource(file, readFileSync(join(root, file), 'utf8'), isPackageName);
      facts.set(file, found);
      graph.set(file, localTargets(file, found.imports));
      for (const site of found.imports) {
        const fault = isRelative(site.specifier)
          ? faultOfPath(member, file, site)
          : faultOfName(member, file, site, byName);
        if (fault) faults.push(`${file}:${site.line} ${fault}`);
      }
      faults.push(...faultsOfFile(member, file, found));
    }
  }
  if (facts.size === 0) faults.push(`${root}: no source file found, so nothing was checked`);
  for (const cycle of findCycles(graph)) faults.push(`import cycle: ${cycle.join(' → ')}`);
  for (const door of portableDoors) faults.push(...faultsBehindDoor(door, graph, facts));
  return faults;
}

function readMembers(root: string, faults: string[]): Member[] {
  const folders = globSync(
    ['packages/*/package.json', 'examples/package.json', 'bench/package.json'],
    {
      cwd: root,
    },
  ).map((path) => toPosix(dirname(path)));
  const members: Member[] = [];
  for (const folder of folders.sort()) {
    const rank = houseOrder.indexOf(folder);
    if (rank < 0) faults.push(`${folder}: not in the house; give it its place in tools/house.ts`);
    const manifest: { name: string; exports?: Record<string, Record<string, string> | string> } =
      JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const doors = Object.entries(manifest.exports ?? {});
    members.push({
      folder,
      rank,
      name: manifest.name,
      doors: new Set(doors.map(([path]) => posix.join(manifest.name, path))),
      doorFiles: new Set(
        doors.flatMap(([, target]) =>
          Object.values(typeof target === 'string' ? { target } : target).map((path) =>
            posix.join(folder, path),
          ),
        ),
      ),
    });
  }
  return members;
}

function filesOf(root: string, folder: string): string[] {
  return globSync([`${folder}/src/**/*.{ts,tsx}`, `${folder}/test/**/*.{ts,tsx}`], { cwd: root })
    .map(toPosix)
    .filter((path) => existsSync(join(root, path)))
    .sort();
}

function faultOfPath(member: Member, file: string, site: ImportSite): string | undefined {
  const target = resolvePath(file, site.specifier);
  if (!target.startsWith(`${member.folder}/`)) {
    return `reaches out of its package with '${site.specifier}'; import the package by its name`;
  }
  const source = `${member.folder}/src/`;
  if (file.startsWith(source) && !target.startsWith(source)) {
    return `source imports '${site.specifier}', which is not source`;
  }
  return;
}

function faultOfName(
  member: Member,
  file: string,
  site: ImportSite,
  byName: ReadonlyMap<string, Member>,
): string | undefined {
  const target = memberNamed(byName, site.specifier);
  if (!target) return;
  if (!target.doors.has(site.specifier)) {
    return `imports '${site.specifier}', which is not a door of ${target.name}`;
  }
  if (target === member) {
    if (!file.startsWith(`${member.folder}/src/`)) return;
    return `imports its own package by name ('${site.specifier}'); use a relative path`;
  }
  if (target.rank < member.rank) return;
  const { folder: from } = member;
  if (site.lazy && lazyExceptions.some((it) => it.from === from && it.to === target.folder)) return;
  return `${from} may not import ${target.folder} ('${site.specifier}'): arrows point inward`;
}

function faultsOfFile(member: Member, file: string, facts: SourceFacts): string[] {
  const faults: string[] = [];
  if (file.startsWith('packages/') && file.startsWith(`${member.folder}/src/`)) {
    for (const line of facts.randomLines) {
      faults.push(
        `${file}:${line} uses Math.random: take ids and chances from what the caller gives`,
      );
    }
    if (posix.basename(file) === 'index.ts' && !member.doorFiles.has(file)) {
      faults.push(`${file}: index.ts stands only at a door of the export map`);
    }
  }
  return faults;
}

function faultsBehindDoor(
  door: string,
  graph: Graph,
  facts: ReadonlyMap<string, SourceFacts>,
): string[] {
  if (!graph.has(door)) return [`${door}: this door is missing, so nothing behind it was checked`];
  const faults: string[] = [];
  const reached = new Set([door]);
  for (const file of reached) {
    const found = facts.get(file);
    for (const site of found?.imports ?? []) {
      if (!site.specifier.startsWith('node:')) continue;
      faults.push(`${file}:${site.line} imports '${site.specifier}', yet ${door} reaches it`);
    }
    for (const line of found?.nodeGlobalLines ?? []) {
      faults.push(`${file}:${line} uses a global of Node, yet ${door} reaches it`);
    }
    for (const next of graph.get(file) ?? []) reached.add(next);
  }
  return faults;
}

/** Every cycle once, found by a depth-first walk that closes on a file still open. */
function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const closed = new Set<string>();
  const open: string[] = [];
  const visit = (file: string): void => {
    const at = open.indexOf(file);
    if (at >= 0) cycles.push([...open.slice(at), file]);
    if (at >= 0 || closed.has(file)) return;
    open.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    open.pop();
    closed.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}

function localTargets(file: string, imports: readonly ImportSite[]): string[] {
  const local = imports.filter((site) => isRelative(site.specifier));
  return [...new Set(local.map((site) => resolvePath(file, site.specifier)))];
}

function memberNamed(byName: ReadonlyMap<string, Member>, specifier: string): Member | undefined {
  const [scope = '', name = ''] = specifier.split('/');
  return byName.get(`${scope}/${name}`);
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

function resolvePath(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier);
}

function toPosix(path: string): string {
  return path.replaceAll('\\', '/');
}
