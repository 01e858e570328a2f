//! Many customers at once.

use sandbox::Organization;

use crate::world::World;

const NEW: usize = 500;

/// The run stops after the rows of its first page: all are synced within two hours.
#[tokio::test]
async fn five_hundred_customers_of_an_hour_are_synced_in_the_next_although_the_run_stops() {
    let mut world = World::start(20, 10_000).await;
    world.sweep().await;
    world.next_hour();
    let any = world
        .sandbox
        .organization(world.listed()[0].as_str())
        .unwrap();
    for number in 0..NEW {
        world.sandbox.put_organization(Organization {
            id: Some(format!("00801NEW{number:05}")),
            archived: false,
            created_at: world.now,
            ..any.clone()
        });
    }

    world.sandbox.add_fault(sandbox::Fault {
        endpoint: Some("listPartnerOrganizations".to_owned()),
        organization_id: None,
        kind: sandbox::FaultKind::Delay { milliseconds: 500 },
        times: None,
    });
    let rows = async || {
        let page = world
            .organizations
            .due(world.now, usize::MAX)
            .await
            .unwrap();
        page.len()
    };
    let before = rows().await;
    let first_page_is_written = async {
        while rows().await < before + 100 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = world.fan_out() => panic!("the run was not stopped"),
        () = first_page_is_written => {}
    }
    world.sandbox.clear_faults();
    assert_eq!(world.aws.take_messages().len(), 0);
    assert!(rows().await < NEW);

    world.next_hour();
    let (summary, attempts) = world.sweep().await;

    let synced = attempts.iter().filter(|attempt| attempt.is_synced).count();
    println!("{synced} customers synced an hour after the run that stopped");
    assert_eq!(summary.new, NEW as u64 - 100);
    assert!(synced >= NEW, "{synced}");
}
