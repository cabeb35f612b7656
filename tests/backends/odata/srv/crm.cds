using { cuid, managed } from '@sap/cds/common';

@path: '/crm'
@cds.query.limit: { default: 3, max: 3 }
service Crm {
  entity accounts : cuid, managed {
    name: String(100) @mandatory; orgNumber: String(20); email: String; phone: String; website: String; notes: String;
    street: String; street2: String; zip: String; city: String; country: String(2);
  }
  entity people : cuid, managed {
    first: String; last: String; email: String; phone: String; mobile: String;
    account: Association to accounts;
  }
  entity articles : cuid, managed { title: String(200) @mandatory; sku: String; text: String; price: Decimal(10,2); }
}
annotate Crm.accounts with { modifiedAt @odata.etag };
annotate Crm.people with { modifiedAt @odata.etag };
annotate Crm.articles with { modifiedAt @odata.etag };
