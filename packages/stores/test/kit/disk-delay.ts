import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** The longest that the disk kept a plain write of one page waiting while `work` ran, in milliseconds. */
export async function longestSync(path: string, work: Promise<unknown>): Promise<number> {
  const file = await open(path, 'w');
  const page = Buffer.alloc(4_096);
  let longest = 0;
  let running = true;
  const end = (): void => {
    running = false;
  };
  work.then(end, end);
  while (running) {
    const started = performance.now();
    await file.write(page, 0, page.length, 0);
    await file.datasync();
    longest = Math.max(longest, performance.now() - started);
    await pause(5);
  }
  await file.close();
  return longest;
}
