import { Controller, Get, Query } from '@nestjs/common';
import * as nunjucks from 'nunjucks';

@Controller('greetings')
export class GreetingController {
  @Get('card')
  card(@Query('name') name: string, @Query('lang') lang?: string) {
    const salutation = lang === 'de' ? 'Hallo' : 'Hello';
    const template = `${salutation} ${name}, {{ holiday }} is coming!`;
    const text = nunjucks.renderString(template, { holiday: 'New Year' });
    return { text };
  }
}
