import type { Document, LineCounter, ParsedNode } from 'yaml';
import type { ConfigIssue } from '../errors.ts';

type Yaml = typeof import('yaml');

/** A parsed file: `root` is null if it is empty or could not be parsed, and then `issues` say why. */
export interface YamlDocument {
  readonly document: Document.Parsed | null;
  readonly root: ParsedNode | null;
  readonly issues: readonly ConfigIssue[];
  /** A place in the file, for messages. */
  readonly placeOf: (offset: number) => string;
}

/** What a file may have. All of it is counted before anything is built from it. */
export const yamlLimits = { bytes: 1_048_576, parts: 25_000, depth: 64, aliases: 50 } as const;

/**
 * Parses the text of a YAML file, plain YAML 1.2 alone: no tags but the standard ones, no directives, no merge
 * keys, no key twice, one document. Its work is bounded by `yamlLimits`, whatever the text is. No message
 * quotes the file, which may hold passwords.
 */
export async function parseYaml(text: string, file: string): Promise<YamlDocument> {
  // Loaded only here: whoever configures in code does not load it.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const placeOf = (offset: number): string => {
    const { col, line } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const issues: ConfigIssue[] = [];
  const complain = (offset: number, message: string): void => {
    if (issues.length < maxIssues) issues.push({ path: 'YAML', message, place: placeOf(offset) });
  };
  const none = { document: null, root: null, issues, placeOf };
  const tokens = readTokens(yaml, text, lines, complain);
  if (tokens === null) return none;

  const composer = new yaml.Composer({ prettyErrors: false, uniqueKeys: false, merge: false });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (document === undefined) return none;
  if (second !== undefined) complain(second.range[0], 'has a second document; leave one');
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    complain(pos[0], reasons[code] ?? 'is no valid YAML here');
  }
  if (issues.length > 0) return none;
  checkNodes(yaml, document, document.contents, complain);
  return { document, root: document.contents, issues, placeOf };
}

/** Past so many faults of form the rest follows from the first. */
const maxIssues = 20;

type Complain = (offset: number, message: string) => void;

/** The text in tokens, or null if there is too much of something in it, or something that is not read. */
function readTokens(yaml: Yaml, text: string, lines: LineCounter, complain: Complain) {
  const parser = new yaml.Parser(lines.addNewLine);
  const tokens: ReturnType<Yaml['Parser']['prototype']['end']> extends Generator<infer T>
    ? T[]
    : never = [];
  let parts = 0;
  let aliases = 0;
  lines.addNewLine(0);
  for (const lexeme of new yaml.Lexer().lex(text)) {
    const type = yaml.CST.tokenType(lexeme);
    // Each line of a text costs a part, and so does each escape, which may be a wrong one.
    parts += 1 + count(lexeme, '\n') + (type === 'double-quoted-scalar' ? count(lexeme, '\\') : 0);
    if (type === 'alias') aliases += 1;
    const fault = faultOfPart(type, lexeme, { parts, aliases, depth: parser.stack.length });
    if (fault !== undefined) {
      complain(parser.offset, fault);
      return null;
    }
    tokens.push(...parser.next(lexeme));
  }
  tokens.push(...parser.end());
  return tokens;
}

function count(text: string, character: string): number {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found += 1;
  return found;
}

function faultOfPart(
  type: string | null,
  lexeme: string,
  count: { readonly parts: number; readonly aliases: number; readonly depth: number },
): string | undefined {
  const { aliases, depth, parts } = yamlLimits;
  if (count.parts > parts) return `is too long: more than ${parts} parts`;
  if (count.depth > depth) return `is nested too deep: more than ${depth} levels`;
  if (count.aliases > aliases) return `has too many aliases: more than ${aliases}`;
  if (type === 'directive-line') return 'has a directive; leave it out';
  if (type !== 'tag' || /^!!(str|int|float|bool|null|map|seq)$/.test(lexeme)) return undefined;
  return 'has a tag of its own; write the plain value';
}

/** Finds keys that stand twice in one map, merge keys, and aliases of nothing. */
function checkNodes(
  yaml: Yaml,
  document: Document.Parsed,
  node: unknown,
  complain: Complain,
): void {
  if (yaml.isAlias(node) && node.resolve(document) === undefined) {
    complain(node.range?.[0] ?? 0, 'has an alias without its anchor');
  }
  if (yaml.isSeq(node)) {
    for (const item of node.items) checkNodes(yaml, document, item, complain);
  }
  if (!yaml.isMap<ParsedNode, ParsedNode | null>(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    if (yaml.isScalar(key)) {
      const name = String(key.value);
      if (name === '<<') complain(key.range[0], 'has a merge key; write the fields out');
      else if (seen.has(name)) complain(key.range[0], 'has this key a second time; leave one');
      seen.add(name);
    } else {
      checkNodes(yaml, document, key, complain);
    }
    checkNodes(yaml, document, value, complain);
  }
}

const reasons: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'has an alias without its anchor',
  BAD_DQ_ESCAPE: 'has an escape that does not exist; use single quotes or \\\\',
  BAD_INDENT: 'is not indented as it has to be',
  BAD_SCALAR_START: 'starts with a character that needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'has a second colon here; put the value into quotes',
  BLOCK_IN_FLOW: 'has lines of a block inside of brackets',
  MISSING_CHAR: 'misses a character here, like a closing quote, a bracket or a comma',
  MULTILINE_IMPLICIT_KEY: 'has a key of more than one line, or misses a colon',
  TAB_AS_INDENT: 'is indented by a tab; use spaces',
  UNEXPECTED_TOKEN: 'has something here that does not belong here',
};
