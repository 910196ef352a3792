/**
 * The names of OpenTelemetry's conventions for generative AI that we use. They are in development and may change:
 * here they are in one place, and a test compares them with the published ones.
 */
export const genai = {
  conversationId: 'gen_ai.conversation.id',
  agentName: 'gen_ai.agent.name',
  providerName: 'gen_ai.provider.name',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  tokenType: 'gen_ai.token.type',
} as const;

/** Names of our own, where there is none for it. */
export const own = {
  call: 'lexigram.session.call',
  outcome: 'lexigram.session.outcome',
  revision: 'lexigram.session.revision',
  turns: 'lexigram.session.turns',
  role: 'lexigram.session.turn.role',
  duration: 'lexigram.session.call.duration',
  tokens: 'lexigram.session.tokens',
  cost: 'lexigram.session.cost',
} as const;
