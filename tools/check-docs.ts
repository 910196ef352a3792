import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

// Every relative link in a Markdown file must lead to a file, and its #part to a heading there.
const root = process.argv[2] ?? join(import.meta.dirname, '..');
const pages = globSync('**/*.md', {
  cwd: root,
  exclude: (path) => /(^|[\\/])(node_modules|dist|fixtures|\.git)$/.test(path),
});
const faults: string[] = [];
let links = 0;

for (const page of pages.sort()) {
  const path = join(root, page);
  for (const [target, line] of linksOf(readFileSync(path, 'utf8'))) {
    if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
    links += 1;
    const [file = '', part] = target.split('#', 2);
    const full = file === '' ? path : join(dirname(path), decodeURIComponent(file));
    if (!existsSync(full)) faults.push(`${page}:${line} no such file: ${target}`);
    else if (relative(root, full).startsWith('..'))
      faults.push(`${page}:${line} leads out: ${target}`);
    else if (
      part &&
      statSync(full).isFile() &&
      full.endsWith('.md') &&
      !anchorsOf(full).has(part)
    ) {
      faults.push(`${page}:${line} no such heading: ${target}`);
    }
  }
}
for (const fault of faults) console.error(fault);
console.log(`${links} links in ${pages.length} pages checked, ${faults.length} broken.`);
process.exitCode = faults.length === 0 ? 0 : 1;

function linksOf(text: string): [string, number][] {
  return withoutCode(text).flatMap((line, at) =>
    [...line.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)/g)].map(
      (match): [string, number] => [match[1] ?? match[2] ?? '', at + 1],
    ),
  );
}

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const line of withoutCode(readFileSync(path, 'utf8'), false)) {
    const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const base = heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The lines of a page, with fenced code (and, unless told otherwise, inline code) left blank. */
function withoutCode(text: string, inline = true): string[] {
  let fence: string | undefined;
  return text.split(/\r?\n/).map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return '';
    }
    if (fence !== undefined) return '';
    return inline ? line.replace(/`[^`]*`/g, '') : line;
  });
}
