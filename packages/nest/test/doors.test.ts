import { tryDoor } from '@lexigram/ai-session-web-trials';
import { startNest } from './kit/nest-app.ts';

tryDoor('Nest on Express', (sessions, options) => startNest('express', sessions, options));
tryDoor('Nest on Fastify', (sessions, options) => startNest('fastify', sessions, options));
