import { Body, Controller, Post } from '@nestjs/common';
import { parseXmlString, ParserOptions } from 'libxmljs2';

const PARSER: ParserOptions = {
  dtdload: true,
  noent: true,
  nocdata: true,
};

@Controller('saml')
export class SamlMetadataController {
  @Post('metadata')
  upload(@Body('xml') xml: string) {
    const doc = parseXmlString(xml, PARSER);
    const entity = doc.root()?.attr('entityID')?.value() ?? null;
    return { entity };
  }
}
