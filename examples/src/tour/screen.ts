import { styleText } from 'node:util';
import { cut, widthOf, wrap } from './text.ts';

type Style = 'bold' | 'dim' | 'cyan' | 'green' | 'yellow' | 'red';

/** Gives a text a style, or leaves it as it is where no colours are wanted. */
type Paint = (style: Style, text: string) => string;

/** How something is drawn: in at most so many columns, in these colours. */
export interface Look {
  readonly width: number;
  readonly paint: Paint;
}

const plain: Paint = (_style, text) => text;

/** What the tour writes to: lines, and one line at the bottom that comes and goes. */
export interface Screen extends Look {
  /** Whether a line may be drawn over. */
  readonly animated: boolean;
  print(...lines: readonly string[]): void;
  /** Draws a line in place of the last one that was shown so; null takes it away. */
  show(line: string | null): void;
}

/** What is needed of `process.stdout`. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const widest = 100;
const narrowest = 24;

/** A screen over a stream: only a terminal gets colours (unless NO_COLOR is set) and lines drawn over. */
export function createScreen(
  output: Output,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Screen {
  const terminal = output.isTTY === true && environment['TERM'] !== 'dumb';
  const coloured = terminal && (environment['NO_COLOR'] ?? '') === '';
  // A terminal may break a line that fills it to the last column.
  const columns = output.isTTY === true ? (output.columns ?? 80) - 1 : 80;
  return {
    width: Math.max(narrowest, Math.min(widest, columns)),
    animated: terminal,
    paint: coloured ? (style, text) => styleText(style, text, { validateStream: false }) : plain,
    print: (...lines) => {
      for (const line of lines) output.write(`${line}\n`);
    },
    show: (line) => {
      if (terminal) output.write(`\r\u001b[2K${line ?? ''}`);
    },
  };
}

/** A heading with a rule up to the edge. */
export function heading(title: string, { paint, width }: Look): string[] {
  const shown = cut(title, width - 4);
  const rule = '─'.repeat(Math.max(2, width - widthOf(shown) - 4));
  return ['', `${paint('dim', '──')} ${paint('bold', shown)} ${paint('dim', rule)}`, ''];
}

/** A paragraph, indented. */
export function paragraph(text: string, { width }: Look, indent = 0): string[] {
  const space = ' '.repeat(indent);
  return wrap(text, Math.max(10, width - indent)).map((line) => space + line);
}

/** A word in the margin and a text beside it; below it where the screen is narrow. */
export function entry(word: string, text: string, look: Look): string[] {
  const margin = 14;
  const shown = look.paint('cyan', word);
  if (look.width < 50) return [shown, ...paragraph(text, look, 2)];
  const [first = '', ...rest] = paragraph(text, look, margin);
  return [shown + first.slice(word.length), ...rest];
}

/** A bar that fills, how much of it is done, and what is being worked on. */
export function progressBar(
  { done, label, total }: { readonly done: number; readonly total: number; readonly label: string },
  { paint, width }: Look,
): string {
  const counts = ` ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} turns`;
  const cells = Math.max(4, Math.min(30, width - counts.length - 2));
  const full = total === 0 ? cells : Math.floor((Math.min(done, total) / total) * cells);
  const bar = `${paint('green', '█'.repeat(full))}${paint('dim', '░'.repeat(cells - full))}`;
  const left = width - cells - counts.length - 2;
  return `${bar}${cut(counts, width - cells)}${left > 8 ? `  ${paint('dim', cut(label, left))}` : ''}`;
}
