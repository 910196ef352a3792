// Runs groups whose agent waits for the test's word in the step that the test names.
import { createSessions } from '@lexigram/ai-session';
import { openUrl } from '../kit/open-url.ts';
import { errorFacts, hear, say } from './talk.ts';

const [url = ''] = process.argv.slice(2);
const store = await openUrl(url, { synchronous: 'normal' });
const sessions = await createSessions({}, { store });
for (;;) {
  const { sessionId, at, leaseMs } = await hear<{
    sessionId: string;
    at: number;
    leaseMs: number;
  }>();
  const group = sessions.group({ leaseMs });
  for (const name of ['ann', 'bob']) {
    group.addAgent({
      name,
      async execute(_message, _history, { key, step }) {
        if (step === at) {
          say({ key });
          await hear();
        }
        return `child ${step}`;
      },
    });
  }
  try {
    const { reason } = await group.run(sessionId, 'Hi', { maxSteps: 4 });
    say({ reason });
  } catch (error) {
    say({ error: errorFacts(error) });
  }
}
