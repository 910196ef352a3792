import { spawnSync } from 'node:child_process';

// npm test -- [--without=postgres,redis] [what Vitest takes]: what is left out by name is said at the beginning and the end.
const without: string[] = (process.env['LEX_TEST_WITHOUT'] ?? '').split(',').filter(Boolean);
const rest: string[] = [];
for (const arg of process.argv.slice(2)) {
  const [, names] = /^--without=(.*)$/.exec(arg) ?? [];
  if (names === undefined) rest.push(arg);
  else without.push(...names.split(',').filter(Boolean));
}
const servers = ['postgres', 'redis', 'pgbouncer'];
const unknown = without.filter((name) => !servers.includes(name));
if (unknown.length > 0) {
  console.error(`--without=${unknown.join()}: there is ${servers.join(', ')} to leave out`);
  process.exit(2);
}
const notice = `NOT TESTED, left out by name: ${without.join(', ')}`;
if (without.length > 0) console.error(`${notice}\n`);
const env = { ...process.env, LEX_TEST_WITHOUT: without.join() };
const { error, status } = spawnSync('vitest', ['run', ...rest], { env, stdio: 'inherit' });
if (error) throw error;
if (without.length > 0) console.error(`\n${notice}`);
process.exitCode = status ?? 1;
