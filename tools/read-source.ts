import { parseSync } from 'oxc-parser';

/** One place where a file names another module. Type-only imports count like any other. */
export interface ImportSite {
  readonly specifier: string;
  /** True for `import()` and for a string that is later handed to it. */
  readonly lazy: boolean;
  readonly line: number;
}

export interface SourceFacts {
  readonly imports: readonly ImportSite[];
  /** Lines that use `Math.random`. */
  readonly randomLines: readonly number[];
  /** Lines that use a global that only Node has. */
  readonly nodeGlobalLines: readonly number[];
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const nodeGlobals = new Set(['process', 'Buffer']);

/**
 * Reads what the rules need from one TypeScript file. `isPackageName` says which plain strings
 * name a package of this repository. Throws if the file does not parse.
 */
export function readSource(
  path: string,
  text: string,
  isPackageName: (name: string) => boolean,
): SourceFacts {
  const parsed = parseSync(path, text);
  const error = parsed.errors[0];
  if (error) throw new SyntaxError(`${path}: ${error.message}`);

  const imports: ImportSite[] = [];
  const randomLines: number[] = [];
  const nodeGlobalLines: number[] = [];
  const seen = new Set<unknown>();
  const lineOf = (node: SyntaxNode) => text.slice(0, node.start).split('\n').length;

  const visit = (node: SyntaxNode): void => {
    const source = node['source'];
    if (isNode(source)) {
      const specifier = stringValue(source);
      if (specifier !== undefined) {
        seen.add(source);
        imports.push({ specifier, lazy: node.type === 'ImportExpression', line: lineOf(node) });
      }
    }
    const literal = stringValue(node);
    if (literal !== undefined && !seen.has(node) && isPackageName(literal)) {
      imports.push({ specifier: literal, lazy: true, line: lineOf(node) });
    }
    if (isMathRandom(node)) randomLines.push(lineOf(node));
    if (isNodeGlobal(node)) nodeGlobalLines.push(lineOf(node));
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) visit(child);
      }
    }
  };
  visit(parsed.program as unknown as SyntaxNode);
  return { imports, randomLines, nodeGlobalLines };
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function stringValue(node: SyntaxNode): string | undefined {
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  const quasis = node['quasis'];
  if (node.type !== 'TemplateLiteral' || !Array.isArray(quasis) || quasis.length !== 1) return;
  const cooked: unknown = quasis[0]?.value?.cooked;
  return typeof cooked === 'string' ? cooked : undefined;
}

function isMathRandom(node: SyntaxNode): boolean {
  const { object, property } = node;
  if (node.type !== 'MemberExpression' || !isNode(object) || !isNode(property)) return false;
  const name = node['computed'] === true ? stringValue(property) : property['name'];
  return object['name'] === 'Math' && name === 'random';
}

/** `process.x` and `Buffer.x`; a property or an import of that name alone is no use of the global. */
function isNodeGlobal(node: SyntaxNode): boolean {
  const { object } = node;
  return node.type === 'MemberExpression' && isNode(object) && nodeGlobals.has(`${object['name']}`);
}
