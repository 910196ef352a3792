import { type Engine, type ServiceOptions, toEngine } from '../manager/engine.ts';
import { type CostInput, type CostReport, reportCost } from './cost-report.ts';
import type { Prices } from './model-price.ts';
import { openPrices } from './prices.ts';
import { reportSession, type SessionReport } from './session-report.ts';
import { type ReportOptions, reportUsage, type UsageReport } from './usage-report.ts';
import { reportUser, type UserReport, type UserReportOptions } from './user-report.ts';

/** The numbers of one owner: users are left out of the calls. */
export type ScopedSessionAnalytics = Pick<SessionAnalytics, 'session' | 'cost'> & {
  /** The owner's own sessions. */
  user(): Promise<UserReport>;
  report(options: Omit<ReportOptions, 'userId' | 'tenantId'>): Promise<UsageReport>;
};

/** Numbers about sessions. */
export class SessionAnalytics {
  readonly #engine: Engine;
  #prices: Promise<Prices> | undefined;

  constructor(over: ServiceOptions) {
    this.#engine = toEngine(over);
  }

  /** One session. @throws SessionNotFoundError */
  session(sessionId: string): Promise<SessionReport> {
    return reportSession(this.#engine, sessionId);
  }

  /** A user's sessions, and what was ever used in them. @throws SessionInputError */
  user(userId: string, options?: UserReportOptions): Promise<UserReport> {
    return reportUser(this.#engine, userId, options);
  }

  /**
   * What was used in a span of days, by day, model, agent, user or tool. Each turn counts once: not for the
   * branches that read it, nor for the copies that merges brought; and it goes on counting when it is left
   * behind or deleted. By tool, a turn stands with all that it used in the group of each tool that it called.
   *
   * @throws SessionInputError
   */
  report(options: ReportOptions): Promise<UsageReport> {
    return reportUsage(this.#engine, options);
  }

  /**
   * What turns cost, or would: by `parts.prices`, else by those of `@pydantic/genai-prices`. What has no price
   * is said, never taken for nothing.
   *
   * @throws SessionInputError, SessionLimitError; SessionUnsupportedError if there are no prices and the package
   * is not installed
   */
  async cost(turns: CostInput | readonly CostInput[]): Promise<CostReport> {
    let { prices } = this.#engine;
    if (prices === undefined) {
      this.#prices ??= openPrices();
      prices = await this.#prices;
    }
    return reportCost(prices, turns);
  }
}
