import { Body, Controller, Post } from '@nestjs/common';
import { XMLParser } from 'fast-xml-parser';

const parser = new XMLParser({
  ignoreAttributes: false,
  processEntities: false,
});

@Controller('rss')
export class RssMetadataController {
  @Post('metadata')
  upload(@Body('xml') xml: string) {
    const doc = parser.parse(xml);
    const title = doc?.rss?.channel?.title ?? null;
    return { title };
  }
}
