import { tryDoor } from '@lexigram/ai-session-web-trials';
import { doors } from './kit/doors.ts';

for (const [name, open] of Object.entries(doors)) tryDoor(name, open);
