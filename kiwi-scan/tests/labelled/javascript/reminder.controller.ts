import { Controller, Get, Query } from '@nestjs/common';
import * as nunjucks from 'nunjucks';

const TEMPLATE_DE = 'Hallo {{ name }}, bitte nicht vergessen: {{ subject }}';
const TEMPLATE_EN = 'Hello {{ name }}, please remember: {{ subject }}';

@Controller('reminders')
export class ReminderController {
  @Get('card')
  card(@Query('name') name: string, @Query('lang') lang?: string) {
    const template = lang === 'de' ? TEMPLATE_DE : TEMPLATE_EN;
    const text = nunjucks.renderString(template, { name, subject: 'New Year' });
    return { text };
  }
}
