/** Texts of at most 1 MiB, each made anew, that take a parser without bounds a long time, much memory, or its stack. */
export const bombs: Readonly<Record<string, () => string>> = {
  'nine laughs of nine': () => laughs(),
  'a chain of 10,000 merges': () => chain(10_000),
  '10,000 brackets deep': () => `ai_session: ${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  'a million brackets deep': () => '['.repeat(1_000_000),
  '10,000 dashes deep': () => `${'- '.repeat(10_000)}x`,
  'half a million dashes deep': () => '- '.repeat(500_000),
  '5,000 question marks deep': () => `${'? '.repeat(5_000)}x`,
  '1,400 lines, each deeper': () => steps(1_400),
  'a function by a tag': () => 'ai_session:\n  name: !!js/function "() => process.exit(1)"\n',
  'a set by a tag': () => 'ai_session: !!set {name}\n',
  '60,000 keys': () => fields(60_000),
  '100,000 keys in brackets': () => `{${fields(100_000).replaceAll('\n', ', ')}}`,
  'half a million empty items': () => '-\n'.repeat(500_000),
  'a quarter of a million documents': () => '---\n'.repeat(250_000),
  'a million commas': () => `[${','.repeat(1_000_000)}`,
  'a million closing brackets': () => ']'.repeat(1_000_000),
  'half a million colons': () => ': '.repeat(500_000),
  'half a million comments': () => '#\n'.repeat(500_000),
  'half a million wrong escapes': () => `name: "${'\\q'.repeat(500_000)}"`,
  '100,000 tags': () => `${'!a '.repeat(100_000)}x`,
  '100,000 anchors': () => `${'&a '.repeat(100_000)}x`,
  '100,000 directives': () => '%YAML 1.2\n'.repeat(100_000),
  'a loop of aliases': () => 'ai_session: &a\n  database: *a\n',
  'a loop through a list': () => 'ai_session:\n  cache: {nodes: &a [*a, *a]}\n',
  'keys up to the limit': () => fields(3_100),
  'empty items up to the limit': () => '-\n'.repeat(12_000),
  'commas up to the limit': () => `[${','.repeat(24_500)}`,
  'closing brackets up to the limit': () => ']'.repeat(24_500),
  'wrong escapes up to the limit': () => `name: "${'\\q'.repeat(24_500)}"`,
  'anchors up to the limit': () => `${'&a '.repeat(8_000)}x`,
  'a million spaces': () => ' '.repeat(1_000_000),
  'a million tabs': () => '\t'.repeat(1_000_000),
  'a million quotes': () => "'".repeat(1_000_000),
  'a block of 300,000 lines': () => `ai_session: |\n${' x\n'.repeat(300_000)}`,
  'a block of a million lines': () => `ai_session: |\n${'\n'.repeat(1_000_000)}`,
  'a quoted text of a million lines': () => `ai_session: "${'\n'.repeat(1_000_000)}"`,
  'a plain text of 300,000 lines': () => `ai_session: x\n${' x\n'.repeat(300_000)}`,
};

function laughs(): string {
  const lines = ['a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]'];
  for (let n = 1; n <= 9; n++) {
    lines.push(`a${n}: &a${n} [${Array.from({ length: 9 }, () => `*a${n - 1}`).join(', ')}]`);
  }
  return `${lines.join('\n')}\nai_session: {cache: {nodes: *a9}}\n`;
}

function chain(length: number): string {
  const links = Array.from({ length }, (_, n) => `a${n + 1}: &a${n + 1} {<<: *a${n}, k${n}: 1}`);
  return `a0: &a0 {k: 1}\n${links.join('\n')}\nai_session: *a${length}\n`;
}

function steps(depth: number): string {
  return Array.from({ length: depth }, (_, n) => `${' '.repeat(n)}a:`).join('\n');
}

function fields(count: number): string {
  return Array.from({ length: count }, (_, n) => `key${n}: 1`).join('\n');
}
