import { registerHooks } from 'node:module';

/** What each way to ask for prices came to. */
export interface Asked {
  readonly [way: string]: string;
}

// As on a machine where the package of prices is not installed.
const missing = '@pydantic/genai-prices';
registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== missing) return next(specifier, context);
    const error = new Error(`Cannot find package '${specifier}'`);
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
  },
});
const { createSessions, openPrices } = await import('../../../src/index.ts');
const use = { model: 'm', usage: { inputTokens: 1_000_000 } };
const models = { m: { input: 2, output: 0 } };

async function outcome(ask: () => Promise<unknown>): Promise<string> {
  return ask().then(String, (error: { code: string; message: string }) => {
    return `${error.code} ${error.message}`;
  });
}

const asked: Asked = {
  nothing: await outcome(async () => {
    await using sessions = await createSessions();
    return (await sessions.analytics.report({ groupBy: 'day' })).total.cost;
  }),
  true: await outcome(() => createSessions({}, { prices: true })),
  table: await outcome(() => createSessions({}, { prices: { models } })),
  alone: await outcome(async () => {
    const prices = { models, catalogue: false };
    await using sessions = await createSessions({}, { prices });
    return (await sessions.analytics.cost(use)).cost;
  }),
  cost: await outcome(async () => {
    await using sessions = await createSessions();
    return sessions.analytics.cost(use);
  }),
  openPrices: await outcome(() => openPrices()),
};
process.stdout.write(JSON.stringify(asked));
