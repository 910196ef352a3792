import { parseDocument } from 'yaml';
import { configFields } from '../../../src/config/session-config.ts';
import { readYamlLayer } from '../../../src/config/yaml-layer.ts';
import { bombs } from './texts.ts';

/** What became of one text. */
export interface Outcome {
  readonly name: string;
  readonly issues: readonly string[] | string;
  /** Milliseconds of processor time. */
  readonly cpuMs: number;
}

// Reads every bomb in this process, which its parent starts with little memory; with `unbounded`, as the parser
// alone would.
const unbounded = process.argv[2] === 'unbounded';
const outcomes: Outcome[] = [];
for (const [name, make] of Object.entries(bombs)) {
  const text = make();
  const start = process.cpuUsage();
  const issues = await read(text).catch((error: unknown) => `threw ${String(error)}`);
  const { system, user } = process.cpuUsage(start);
  outcomes.push({ name, issues, cpuMs: Math.round((system + user) / 1000) });
}
process.stdout.write(JSON.stringify(outcomes));

async function read(text: string): Promise<readonly string[]> {
  if (unbounded) return parseDocument(text).errors.map(({ message }) => message);
  const { issues } = await readYamlLayer(text, 'bomb.yaml', configFields);
  return issues.map(({ message, place }) => `${place} ${message}`);
}
