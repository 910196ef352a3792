import { expect, it } from 'vitest';
import { Progress } from '../src/fill/progress.ts';

function start(isTTY: boolean, total: number) {
  let time = 0;
  let text = '';
  const target = {
    isTTY,
    write: (more: string) => {
      text += more;
    },
  };
  const progress = new Progress({ target, unit: 'turns', total, now: () => time });
  return {
    progress,
    wait: (ms: number) => {
      time += ms;
    },
    said: () => text,
  };
}

it('a terminal has one line that is written over', () => {
  const { progress, said, wait } = start(true, 1_000);
  for (let i = 0; i < 50; i++) {
    wait(20);
    progress.add(5);
  }
  // Ten times a second, not each time.
  expect(said().match(/\r/g)).toHaveLength(10);
  expect(said()).toContain(
    '\r[#######.......................] 250 of 1,000 turns, 250 a second, 3 s left\u001b[K',
  );
  expect(said()).not.toContain('\n');
  progress.add(750);
  progress.end();
  const whole = '1,000 of 1,000 turns, 1,000 a second, 1 s in all';
  expect(said().endsWith(`\r[${'#'.repeat(30)}] ${whole}\u001b[K\n`)).toBe(true);
});

it('elsewhere it is a plain line now and then', () => {
  const { progress, said, wait } = start(false, 100_000);
  for (let i = 0; i < 99; i++) {
    wait(1_000);
    progress.add(1_000);
  }
  const lines = said().split('\n');
  expect(lines[0]).toBe('10,000 of 100,000 turns, 1,000 a second, 1 min 30 s left');
  expect(lines.length).toBe(10);
  expect(said()).not.toContain('\r');
  expect(said()).not.toContain('\u001b');
});

it('what was there before took no time', () => {
  const { progress, said, wait } = start(false, 1_000);
  progress.skip(900);
  wait(10_000);
  progress.add(10);
  expect(said()).toBe('910 of 1,000 turns, 1 a second, 1 min 30 s left\n');
});
