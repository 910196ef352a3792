import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { createSessions, loadSessionConfig, validateForEnvironment } from '@lexigram/ai-session';

cpSync(join(import.meta.dirname, '..', 'configuration'), '.', { recursive: true });

// #region load
const sessions = await createSessions(await loadSessionConfig());
// #endregion
assert.equal(sessions.config.database?.synchronous, 'normal');
await sessions.close();

// #region over
const config = await loadSessionConfig({ profile: 'production' });
const tuned = await createSessions({
  ...config,
  maxTurnsPerSession: 5_000,
  database: { url: 'sqlite:tuned.db', synchronous: config.database?.synchronous },
});
// #endregion
assert.deepEqual(tuned.config.database, { url: 'sqlite:tuned.db', synchronous: 'full' });
assert.equal(tuned.config.sessionTtl, 86_400);
await tuned.close();

// #region validate
for (const { message, path, severity } of validateForEnvironment(config, 'production')) {
  console.error(`${severity}: ${path}: ${message}`);
  if (severity === 'error') process.exitCode = 1;
}
// #endregion

// #region misspelt
await loadSessionConfig({ file: 'misspelt.yaml' }).catch((error) => {
  console.log(error.message);
});
// #endregion
