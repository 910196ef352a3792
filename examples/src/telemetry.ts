import { createSessions } from '@lexigram/ai-session';

// #region logger
const line = (level: string) => (fields: object, message: string) => {
  console.log(JSON.stringify({ level, message, ...fields }));
};
const logger = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') };
const sessions = await createSessions({}, { logger }); // or pino(), as it is
// #endregion
const { sessionId } = await sessions.manager.create({ userId: 'ada' });
await sessions.manager.close(sessionId);
await sessions.close();

// #region content
const traced = await createSessions(
  {},
  {
    telemetry: {
      content: { maxCharacters: 1_000, redact: (text) => text.replaceAll(/\d{4,}/g, '…') },
    },
  },
);
// #endregion
await traced.close();
