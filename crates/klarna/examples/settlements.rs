//! What was paid out, and for which orders: payouts, transactions, and reports that are read as they arrive.
#![allow(clippy::print_stdout, missing_docs, reason = "an example shows what happens")]

use std::error::Error;

use klarna::types::settlements::report::Record;
use klarna::{Client, PayoutFilter, TransactionFilter};

pub async fn run(client: &Client) -> Result<(), Box<dyn Error>> {
    let settlements = client.settlements();

    // All payouts, page after page as they are needed.
    let mut payouts = settlements.payouts(&PayoutFilter::new().size(100)).items();
    while let Some(payout) = payouts.next().await {
        let payout = payout?;
        let reference = &payout.payment_reference;
        println!("{reference} {} {}", payout.totals.settlement_amount, payout.currency_code);

        // Each of its transactions, from the API.
        let filter = TransactionFilter::of_payout(reference).size(500);
        let count = settlements.transactions(&filter).items().collect().await?.len();

        // The same from the CSV report. However large it is, one piece of it is in memory at a time.
        let mut rows = settlements.payout_rows(reference);
        let mut sum = 0;
        while let Some(record) = rows.next().await {
            match record? {
                Record::Payout(payout) => println!("  paid to {}", payout.merchant_id),
                Record::Transaction(row) => {
                    let signed = row.signed_amount().ok_or("out of range")?;
                    println!("  {} {signed} {:?}", row.kind, row.order_id);
                    sum += signed.get();
                }
            }
        }
        println!("  {count} transactions, {sum} before VAT on fees");

        // And as a document, written to a file (here: to memory) as it arrives.
        let mut document = Vec::new();
        settlements.payout_pdf(reference).await?.write_to(&mut document).await?;
        println!("  a document of {} bytes", document.len());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Client::from_env()?).await
}
