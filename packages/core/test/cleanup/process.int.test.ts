import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** Runs a script in a process of its own until it ends by itself; one that does not is ended, which is a failure. */
async function runToItsEnd(script: string): Promise<string> {
  const node = ['--conditions=@lexigram/source', '--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, node, {
    cwd: import.meta.dirname,
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

it('sweeps that go on keep no process alive', async () => {
  const script = `
    import { createSessions } from '@lexigram/ai-session';
    const sessions = await createSessions(
      { cleanupIntervalS: 0.01 },
      { consolidator: { retryMs: 600_000, consolidate: async () => { throw new Error('later'); } } },
    );
    process.on('warning', () => {});
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.close(sessionId);
    await sessions.cleanup.sweep();
    console.log(sessions.cleanup.started, (await sessions.memory.consolidation(sessionId)).state);
  `;
  expect(await runToItsEnd(script)).toBe('true failed\n');
});
