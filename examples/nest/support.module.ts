import { SessionAnalytics, SessionManager } from '@lexigram/ai-session';
import { CurrentSession, SessionHealthIndicator } from '@lexigram/ai-session-nest';
import type { AiSession } from '@lexigram/ai-session-web';
import { Controller, Get, Inject, Module } from '@nestjs/common';

// #region nest-support
@Controller()
class SupportController {
  constructor(
    @Inject(SessionManager) private readonly manager: SessionManager,
    @Inject(SessionAnalytics) private readonly analytics: SessionAnalytics,
    @Inject(SessionHealthIndicator) private readonly health: SessionHealthIndicator,
  ) {}

  @Get('history')
  async history(@CurrentSession() { sessionId }: AiSession) {
    if (sessionId === null) return { turns: [], tools: [] };
    const { turns } = await this.manager.getState(sessionId, { turns: 'all' });
    return { turns, tools: (await this.analytics.session(sessionId)).toolsInvoked };
  }

  @Get('health')
  check() {
    return this.health.isHealthy();
  }
}
// #endregion

@Module({ controllers: [SupportController] })
export class SupportModule {}
