import { createExperience } from './experience.ts';
import { startTag } from './start-tag.ts';

startTag(createExperience);
