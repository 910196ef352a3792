import { describe, expect, it } from 'vitest';
import { type Column, drawTable } from '../src/tour/draw-table.ts';
import { drawTree, type Family } from '../src/tour/draw-tree.ts';
import { createScreen, entry, heading, type Output, progressBar } from '../src/tour/screen.ts';
import { drawSpending } from '../src/tour/spending.ts';
import { cut, oneLine, pad, widthOf, wrap } from '../src/tour/text.ts';

const plain = (width: number) => ({ width, paint: (_: string, text: string) => text });

describe('text', () => {
  it('lets nothing through that moves a cursor or turns the writing', () => {
    expect(oneLine('a\u001b[2Jb\u0007c\u009bd')).toBe('a�[2Jb�c�d');
    expect(oneLine('user\u202etxt.exe\u2066x\u2069\u200e\u061c')).toBe('user�txt.exe�x���');
    expect(oneLine(' two\r\nlines\tand\u2028more \ud800')).toBe('two lines and more �');
    expect(oneLine('zero\u0000 \u200bwidth\u00ad')).toBe('zero� �width�');
  });

  it('counts the columns of a terminal', () => {
    expect(widthOf('abc')).toBe(3);
    expect(widthOf('你好')).toBe(4);
    expect(widthOf('e\u0301é')).toBe(2);
    expect(widthOf('👍 ok')).toBe(5);
  });

  it('cuts and fills to a width', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdef', 5)).toBe('abcd…');
    expect(cut('你好你好', 6)).toBe('你好…');
    expect(cut('你好你好', 5)).toBe('你好…');
    expect(cut('abc', 0)).toBe('');
    expect(pad('你', 4)).toBe('你  ');
    expect(pad('7', 3, 'right')).toBe('  7');
    expect(pad('12345', 3, 'right')).toBe('12…');
  });

  it('breaks lines between words, and in words that are too long', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
    expect(wrap('', 10)).toEqual(['']);
  });
});

describe('a tree of branches', () => {
  const leaf = (name: string, forkSeq: number, turnCount: number, opening = ''): Family => ({
    name,
    forkSeq,
    turnCount,
    opening,
    branches: [],
  });
  const family: Family = {
    name: 'A talk',
    forkSeq: null,
    turnCount: 4,
    opening: '',
    branches: [
      leaf('b-10', 3, 4),
      { ...leaf('b-2', 1, 3, '“Hello\nthere”'), branches: [leaf('b-3', 2, 4, 'calls read')] },
      leaf('b-9', 3, 5),
      leaf('new', 0, 1),
    ],
  };

  it('shows names, where each forks, and its own turns, in the order of the forks', () => {
    expect(drawTree(family, plain(70))).toEqual([
      'A talk  4 turns',
      '├─ new  from the start, +1 turn',
      '├─ b-2  after turn 1, +2 turns  “Hello there”',
      '│  └─ b-3  after turn 2, +2 turns  calls read',
      '├─ b-9  after turn 3, +2 turns',
      '└─ b-10  after turn 3, +1 turn',
    ]);
  });

  it('stays within any width', () => {
    for (const width of [24, 30, 40, 60]) {
      for (const line of drawTree(family, plain(width)))
        expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
  });

  it('says how much it leaves out', () => {
    expect(drawTree(family, { ...plain(70), maxLines: 4 }).slice(2)).toEqual([
      '├─ b-2  after turn 1, +2 turns  “Hello there”',
      '⋮ and 3 more branches',
    ]);
  });

  it('lets a name do nothing to the terminal', () => {
    const evil = { ...family, name: '\u001b[31mred', branches: [leaf('\u202eevil', 1, 2)] };
    const drawn = drawTree(evil, plain(70)).join('');
    expect(drawn).not.toContain('\u001b');
    expect(drawn).not.toContain('\u202e');
  });
});

describe('a table', () => {
  const columns: Column[] = [
    { title: 'name', min: 4 },
    { title: 'note', min: 4, leaveOut: 1 },
    { title: 'n', align: 'right' },
  ];
  const rows = [
    ['short', 'a longer note', '1'],
    ['a longer name', 'b', '1,000'],
  ];

  it('keeps columns in line, with a head and a foot', () => {
    expect(drawTable({ columns, rows, foot: ['all', '', '1,001'] }, plain(60))).toEqual([
      'name           note               n',
      '───────────────────────────────────',
      'short          a longer note      1',
      'a longer name  b              1,000',
      '───────────────────────────────────',
      'all                           1,001',
    ]);
  });

  it('cuts texts where it is narrow, then leaves columns out', () => {
    expect(drawTable({ columns, rows }, plain(25))[2]).toBe('short     a longe…      1');
    expect(drawTable({ columns, rows }, plain(16))).toEqual([
      'name           n',
      '────────────────',
      'short          1',
      'a longer…  1,000',
    ]);
  });

  it('of spending has a dash where nothing is known, and sums', () => {
    const row = { sessions: 1, branches: 0, turns: 2, tokens: 0, cost: 0 };
    const lines = drawSpending(
      [
        { ...row, kind: 'coding_session', source: 'owner/name', tokens: 1500, cost: 0.5 },
        { ...row, kind: 'chat', source: 'x', branches: 3 },
      ],
      plain(79),
    );
    expect(lines.map((line) => line.split(/\s{2,}/))).toEqual([
      ['kind', 'source', 'sessions', 'branches', 'turns', 'tokens', 'USD'],
      [expect.stringMatching(/^─+$/)],
      ['coding session', 'name', '1', '–', '2', '1,500', '$0.50'],
      ['chat', 'x', '1', '3', '2', '–', '–'],
      [expect.stringMatching(/^─+$/)],
      ['all', '2', '3', '4', '1,500', '$0.50'],
    ]);
  });
});

describe('the screen', () => {
  function output(over: Partial<Output> = {}): Output & { written: string } {
    return {
      written: '',
      ...over,
      write(text) {
        this.written += text;
      },
    };
  }

  it('draws over lines and colours only on a terminal', () => {
    const file = output();
    const screen = createScreen(file, {});
    screen.show('half done');
    screen.print(screen.paint('red', 'done'));
    expect(file.written).toBe('done\n');
    expect(screen).toMatchObject({ animated: false, width: 80 });

    const terminal = output({ isTTY: true, columns: 72 });
    const colourful = createScreen(terminal, { TERM: 'xterm' });
    colourful.show('half done');
    expect(terminal.written).toBe('\r\u001b[2Khalf done');
    expect(colourful.paint('red', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(colourful.width).toBe(71);
  });

  it('heeds NO_COLOR and dumb terminals', () => {
    const terminal = { isTTY: true, columns: 300 };
    expect(createScreen(output(terminal), { NO_COLOR: '1' }).paint('red', 'x')).toBe('x');
    const dumb = createScreen(output(terminal), { TERM: 'dumb' });
    expect(dumb.paint('red', 'x')).toBe('x');
    expect(dumb.animated).toBe(false);
    expect(dumb.width).toBe(100);
  });

  it('draws a bar that fits', () => {
    const bar = (done: number, width: number) =>
      progressBar({ done, total: 2000, label: 'a-file.jsonl' }, plain(width));
    expect(bar(0, 79)).toMatch(/^░{30} 0 of 2,000 turns {2}a-file\.jsonl$/);
    expect(bar(1000, 79)).toMatch(/^█{15}░{15} 1,000 of 2,000 turns/);
    expect(bar(9999, 79)).toMatch(/^█{30} /);
    for (const width of [24, 30, 50]) expect(widthOf(bar(1000, width))).toBeLessThanOrEqual(width);
  });

  it('puts a word into the margin, or above its text where it is narrow', () => {
    expect(entry('1 create', 'Some words here', plain(60))).toEqual([
      '1 create      Some words here',
    ]);
    expect(entry('1 create', 'Some words here', plain(30))).toEqual([
      '1 create',
      '  Some words here',
    ]);
    expect(heading('你好', plain(30))[1]).toBe(`── 你好 ${'─'.repeat(22)}`);
  });
});
