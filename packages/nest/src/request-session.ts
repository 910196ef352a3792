import type { AiSession } from '@lexigram/ai-session-web';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** A request of either platform: Fastify's has the one of Node inside. */
interface AnyRequest {
  aiSession?: AiSession;
}

/** The session of the request that is handled; undefined where there is none. */
export function sessionOf(context: ExecutionContext): AiSession | undefined {
  if (context.getType() !== 'http') return undefined;
  return context.switchToHttp().getRequest<AnyRequest>().aiSession;
}

/** The request's session, for a parameter of a handler: `@CurrentSession() aiSession: AiSession`. */
export const CurrentSession: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AiSession => {
    const aiSession = sessionOf(context);
    if (aiSession !== undefined) return aiSession;
    throw new Error('This request has no session: give SessionModule the option middleware');
  },
);
