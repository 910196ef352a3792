import { registerHooks } from 'node:module';

/** The seq of a turn that was added, and how often OpenTelemetry was asked for. */
export interface Added {
  readonly seq: number;
  readonly asked: number;
}

// As on a machine where OpenTelemetry is not installed.
let asked = 0;
registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith('@opentelemetry/')) return next(specifier, context);
    asked += 1;
    const error = new Error(`Cannot find package '${specifier}'`);
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
  },
});
const { createSessions } = await import('../../../src/index.ts');
await using sessions = await createSessions();
const { sessionId } = await sessions.manager.create({ userId: 'ada' });
const { seq } = await sessions.manager.addTurn(sessionId, { role: 'user', content: 'Hello!' });
await createSessions({}, { telemetry: { enabled: false } });
const added: Added = { seq, asked };
process.stdout.write(JSON.stringify(added));
