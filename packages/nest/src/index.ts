export { CurrentSession } from './request-session.ts';
export { SessionErrorFilter } from './session-error-filter.ts';
export { SessionGuard } from './session-guard.ts';
export { SessionHealthIndicator } from './session-health-indicator.ts';
export { SessionInterceptor } from './session-interceptor.ts';
export { SessionModule } from './session-module.ts';
export type {
  SessionModuleAsyncOptions,
  SessionModuleExtras,
  SessionModuleOptions,
} from './session-module-options.ts';
export { type SessionHealth, SessionProvider } from './session-provider.ts';
export { getSessionToken, SESSION_CONFIG, SESSION_STORE, SESSIONS } from './tokens.ts';
