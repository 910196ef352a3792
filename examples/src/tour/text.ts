/**
 * Text that others wrote as one line that a terminal may print: white space becomes single spaces, and what
 * would move the cursor, change colours or turn the direction of writing becomes �.
 */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll('\u200d', '')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '�')
    .trim();
}

const marks = /^[\p{Mn}\p{Me}]$/u;
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})$/u;

function columnsOf(character: string): number {
  if (marks.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** How many columns of a terminal a line takes. */
export function widthOf(line: string): number {
  let columns = 0;
  for (const character of line) columns += columnsOf(character);
  return columns;
}

/** A line cut to a number of columns, with … where something is missing. */
export function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let kept = '';
  let columns = 0;
  for (const character of line) {
    columns += columnsOf(character);
    if (columns > width - 1) break;
    kept += character;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}

/** A line filled up with spaces to a number of columns; a longer one is cut. */
export function pad(line: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = cut(line, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(shown)));
  return align === 'left' ? shown + space : space + shown;
}

/** A text in lines of at most `width` columns, broken between words, or in them where one is too long. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  if (widthOf(word) <= width) return [word];
  const parts = [''];
  for (const character of word) {
    const last = parts.length - 1;
    const longer = `${parts[last]}${character}`;
    if (parts[last] === '' || widthOf(longer) <= width) parts[last] = longer;
    else parts.push(character);
  }
  return parts;
}

/** 1,234,567 */
export function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** $12.34 */
export function usd(value: number): string {
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** `1 branch`, `2 branches` */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${whole(value)} ${value === 1 ? one : many}`;
}
